import { LookupConflict, LookupRefused } from '@tieline/lookups/refusal'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { TielineError } from '@tieline/runtime/error'
import { agentCommands } from './commands/agents.ts'
import { attentionCommands } from './commands/attention.ts'
import { auditCommands } from './commands/audit.ts'
import { type Command, CommandFault, UsageError } from './commands/command.ts'
import { connectionCommands } from './commands/connections.ts'
import { deadCommands } from './commands/dead.ts'
import { endpointCommands } from './commands/endpoints.ts'
import { flowCommands } from './commands/flows.ts'
import { lookupCommands } from './commands/lookups.ts'
import { messageCommands } from './commands/messages.ts'
import { passwordCommands } from './commands/password.ts'
import { refusalCommands } from './commands/refusals.ts'
import { scheduleCommands } from './commands/schedules.ts'
import { printable } from './table.ts'
import { openTools, type Terminal } from './tools.ts'

const commands: readonly Command[] = [
  ...messageCommands,
  ...attentionCommands,
  ...deadCommands,
  ...refusalCommands,
  ...auditCommands,
  ...flowCommands,
  ...lookupCommands,
  ...connectionCommands,
  ...scheduleCommands,
  ...endpointCommands,
  ...passwordCommands,
  ...agentCommands,
]

/**
 * Runs one command of operators.
 * @returns the exit code: 0 done, 1 not done or a fault was found, 2 the command line is wrong
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const asksForHelp = args[0] === 'help' || args.includes('--help') || args.includes('-h')
  const { command, rest } = findCommand(args[0] === 'help' ? args.slice(1) : args)
  if (command === undefined || asksForHelp) {
    const output = asksForHelp ? terminal.stdout : terminal.stderr
    output.write(`${command === undefined ? overview(rest) : usage(command)}\n`)
    return asksForHelp ? 0 : 2
  }
  try {
    await using tools = openTools(terminal)
    await command.run(rest, tools)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.stderr.write(`${error.message}\n\n${usage(command)}\n`)
      return 2
    }
    terminal.stderr.write(`${sentenceOf(error)}\n`)
    return 1
  }
}

function findCommand(args: readonly string[]): { command?: Command; rest: readonly string[] } {
  for (const words of [2, 1]) {
    const command = commands.find(({ name }) => name === args.slice(0, words).join(' '))
    if (command !== undefined) return { command, rest: args.slice(words) }
  }
  return { rest: args }
}

const usage = ({ name, usage, summary }: Command) => `Usage: pnpm tieline ${[name, usage].join(' ').trim()}\n${summary}`

/** The commands of a group, or all when there is no such group. */
function overview(args: readonly string[]): string {
  const [group, second] = args.filter((word) => !word.startsWith('-'))
  const ofGroup = commands.filter(({ name }) => name.split(' ')[0] === group)
  const isGroup = ofGroup.length > 0
  const unknown = isGroup ? second && `${group} ${second}` : group
  return [
    ...(unknown ? [`There is no command ${printable(unknown)}.`, ''] : []),
    'Commands:',
    ...(isGroup ? ofGroup : commands).map(({ name, usage }) => `  pnpm tieline ${[name, usage].join(' ').trim()}`),
  ].join('\n')
}

/** Errors whose messages are written for people are told as they are; of any other only what went wrong. */
function sentenceOf(error: unknown): string {
  const forPeople = [CommandFault, ConfigurationError, LookupRefused, LookupConflict, TielineError]
  if (!(error instanceof Error)) return 'The command failed'
  return forPeople.some((kind) => error instanceof kind) ? error.message : `The command failed: ${error.message}`
}
