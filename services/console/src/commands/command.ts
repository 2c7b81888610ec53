import { userInfo } from 'node:os'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import type { Operator } from '@tieline/journal/operations'
import type { Tools } from '../tools.ts'

export interface Command {
  /** One or two words. */
  readonly name: string
  /** What follows the name. */
  readonly usage: string
  readonly summary: string
  /** @throws UsageError, CommandFault and whatever the parts it works with throw */
  run(args: readonly string[], tools: Tools): Promise<void>
}

/** The command line is wrong: nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command was understood, but could not be carried out or found a fault. The message is a sentence for operators. */
export class CommandFault extends Error {
  override readonly name = 'CommandFault'
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true }>
>

interface CommandSpec<Options extends ParseArgsOptionsConfig> extends Omit<Command, 'run'> {
  readonly options: Options
  /** How many words follow the name; none unless told. */
  readonly words?: { readonly min: number; readonly max: number }
  run(call: { values: Parsed<Options>['values']; words: readonly string[]; tools: Tools }): Promise<void>
}

/** A command whose options are read by `node:util`; unknown options and a wrong number of words are usage errors. */
export const defineCommand = <const Options extends ParseArgsOptionsConfig>(spec: CommandSpec<Options>): Command => ({
  name: spec.name,
  usage: spec.usage,
  summary: spec.summary,
  async run(args, tools) {
    const { min, max } = spec.words ?? { min: 0, max: 0 }
    const { values, positionals: words } = parse(args, spec.options)
    if (words.length < min) throw new UsageError('Something is missing')
    if (words.length > max) throw new UsageError('There is a word too many')
    await spec.run({ values, words, tools })
  },
})

function parse<Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options): Parsed<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The options are wrong', { cause: error })
  }
}

/** Options of every command that changes something. */
export const operatorOptions = { reason: { type: 'string' }, who: { type: 'string' } } as const

export const operatorUsage = '--reason <why> [--who <name>]'

/**
 * Who changes something and why, for the audit.
 * @throws UsageError without a reason
 */
export function readOperator(values: { reason?: string | undefined; who?: string | undefined }): Operator {
  const why = values.reason?.trim()
  if (!why) throw new UsageError('--reason is required: it is kept with what was changed')
  return { who: values.who?.trim() || loggedInUser(), why }
}

function loggedInUser(): string {
  try {
    return userInfo().username
  } catch {
    // Containers may run under a number that no user has.
    return 'unknown'
  }
}
