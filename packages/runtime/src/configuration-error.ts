import type { Fault } from './faults.ts'

/**
 * The operator has to change something before the service can start.
 * `message` is written to be read as it is: a start that ends with it shows no stack. It never holds a configured value, but for
 * names of files and addresses to listen at.
 */
export class ConfigurationError extends Error {
  readonly faults: readonly Fault[]

  constructor(subject: string, faults: readonly Fault[]) {
    super(
      faults.length === 0
        ? subject
        : [`${subject}:`, ...faults.map(({ path, rule }) => `  ${path}: ${rule}`)].join('\n'),
    )
    this.name = 'ConfigurationError'
    this.faults = faults
  }

  /** This one and another one, told in one go. */
  and(other: ConfigurationError): ConfigurationError {
    const both = new ConfigurationError('', [...this.faults, ...other.faults])
    both.message = `${this.message}\n${other.message}`
    return both
  }
}
