import type { Journal } from '@tieline/journal/journal'
import {
  discardDeadLetter,
  listMessages,
  type MessageSummary,
  type Operator,
  type Refusal,
  rerunMessage,
} from '@tieline/journal/operations'
import { formatMessages } from '../message-view.ts'
import type { Tools } from '../tools.ts'
import {
  type Command,
  CommandFault,
  defineCommand,
  operatorOptions,
  operatorUsage,
  readOperator,
  UsageError,
} from './command.ts'
import { bulkFilterUsage, messageFilterOptions, messageFilterUsage, readBulkFilter, readFilter } from './filters.ts'
import { refusalSentence } from './refusal-sentence.ts'

/** Enough to be quick, few enough that Redis has time for the messages themselves. */
const resubmittedAtOnce = 8

/** More than any installation should ever see at once. */
const allOfThem = 1_000_000

const list = defineCommand({
  name: 'dead list',
  usage: `${messageFilterUsage} [--json]`,
  summary: 'Dead letters, the latest first.',
  options: { ...messageFilterOptions, json: { type: 'boolean' } },
  async run({ values, tools }) {
    const filter = readFilter(values)
    const messages = await listMessages(await tools.journal(), { ...filter, state: 'dead', limit: allOfThem })
    if (values.json) return tools.print(JSON.stringify(messages, null, 2))
    tools.print(messages.length === 0 ? 'No dead letters.' : formatMessages(messages))
  },
})

const resubmit = defineCommand({
  name: 'dead resubmit',
  usage: `<key> | --filter ${bulkFilterUsage} [--dry-run] [--from-start] ${operatorUsage}`,
  summary: 'Runs dead letters again: only what is not confirmed, or with --from-start every call anew.',
  options: {
    filter: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    'from-start': { type: 'boolean', default: false },
    ...operatorOptions,
  },
  words: { min: 0, max: 1 },
  async run({ values, words: [key], tools }) {
    if ((key === undefined) === (values.filter === undefined)) throw new UsageError('Say either a key or --filter')
    const filter = values.filter === undefined ? undefined : readBulkFilter(values.filter)
    const dryRun = values['dry-run']
    const how = dryRun ? undefined : { ...readOperator(values), fromStart: values['from-start'], onlyDead: true }
    const journal = await tools.journal()

    if (key !== undefined) {
      if (how === undefined) throw new UsageError('--dry-run goes with --filter')
      const done = await rerunMessage(journal, key, how)
      if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
      return tools.print(`Generation ${done.generation} of ${key} starts.`)
    }
    const found = await listMessages(journal, { ...filter, state: 'dead', limit: allOfThem })
    if (found.length === 0) return tools.print('No such dead letters.')
    if (how !== undefined) return resubmitAll(journal, found.toReversed(), how, tools)
    tools.print(formatMessages(found))
    tools.print(`${found.length} would be resubmitted; nothing was changed.`)
  },
})

const discard = defineCommand({
  name: 'dead discard',
  usage: `<key> ${operatorUsage}`,
  summary: 'Gives a dead letter up.',
  options: operatorOptions,
  words: { min: 1, max: 1 },
  async run({ values, words: [key = ''], tools }) {
    const operator = readOperator(values)
    const done = await discardDeadLetter(await tools.journal(), key, operator)
    if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
    tools.print(`${key} is discarded.`)
  },
})

type How = Operator & { readonly fromStart: boolean; readonly onlyDead: boolean }

/** Resubmits in the given order, a few at a time, and says how far it is on standard error. */
async function resubmitAll(
  journal: Journal,
  messages: readonly MessageSummary[],
  how: How,
  { terminal, print }: Tools,
): Promise<void> {
  const refused = new Map<Refusal, number>()
  let done = 0
  const progress = () => {
    if (terminal.stderr.isTTY) terminal.stderr.write(`\r${done} of ${messages.length}`)
  }
  const waiting = messages.values()
  const resubmitNext = async () => {
    for (const { key } of waiting) {
      const { kind } = await rerunMessage(journal, key, how)
      if (kind !== 'ok') refused.set(kind, (refused.get(kind) ?? 0) + 1)
      done += 1
      progress()
    }
  }
  await Promise.all(Array.from({ length: resubmittedAtOnce }, resubmitNext))
  if (terminal.stderr.isTTY) terminal.stderr.write('\n')

  const failed = [...refused.values()].reduce((sum, count) => sum + count, 0)
  print(`${messages.length - failed} of ${messages.length} dead letters resubmitted.`)
  if (failed === 0) return
  const reasons = [...refused].map(([refusal, count]) => `${count} ${refusal}`).join(', ')
  throw new CommandFault(`${failed} were not: ${reasons}.`)
}

export const deadCommands: readonly Command[] = [list, resubmit, discard]
