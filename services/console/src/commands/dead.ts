import { rerunAll } from '@tieline/journal/bulk'
import { discardDeadLetter, listMessages, rerunMessage } from '@tieline/journal/operations'
import { formatMessages } from '../message-view.ts'
import { progressOn, reportBulk } from './bulk-report.ts'
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
    if (how !== undefined) {
      const bulk = await rerunAll(journal, found, how, progressOn(tools, found.length))
      return reportBulk(bulk, found.length, 'dead letters resubmitted', tools)
    }
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

export const deadCommands: readonly Command[] = [list, resubmit, discard]
