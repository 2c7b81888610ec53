import pino from 'pino'
import { forLog } from './log-redaction.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]
export type Logger = pino.Logger

interface LoggerOptions {
  /** Name of the service, on every line. */
  readonly service: string
  readonly level: LogLevel
  /** Where lines go; standard output when absent. */
  readonly destination?: pino.DestinationStream
}

/**
 * A logger that writes one JSON line per record. Whatever it is handed passes `forLog` first, bindings of children
 * included, so that no credential, payload or far side's text gets out. Message texts are written as they are, so no
 * value belongs into them.
 */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // `forLog` has described the errors; pino would take its description for an error and describe it again.
    serializers: { err: (described: unknown) => described },
    hooks: {
      logMethod([first, ...rest], method) {
        const fields = first instanceof Error ? { err: forLog(first) } : forLog(first)
        Reflect.apply(method, this, [fields, ...rest.map((value) => forLog(value))])
      },
    },
  }
  const logger = destination === undefined ? pino(options) : pino(options, destination)
  // pino applies neither hooks nor formatters to the bindings of children. Children inherit this method.
  const child = logger.child
  logger.child = function (this: Logger, bindings: pino.Bindings, more: object | undefined) {
    return Reflect.apply(child, this, [forLog(bindings), more])
  } as typeof child
  return logger
}
