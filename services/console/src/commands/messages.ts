import { isFileFlow } from '@tieline/contracts/flows'
import { abortMessage } from '@tieline/journal/abort'
import type { Journal } from '@tieline/journal/journal'
import {
  findMessages,
  listMessages,
  readMessageFile,
  rerunMessage,
  showMessage,
  summarize,
} from '@tieline/journal/operations'
import { findRefusals } from '@tieline/journal/refusals/refusals'
import { abortWords } from '@tieline/worker-service/abort-words'
import { findDevice, numbersByIndex, rowSettings } from '@tieline/worker-service/find-devices'
import { findRows } from '@tieline/worker-service/find-rows'
import { formatMessage, formatMessages } from '../message-view.ts'
import { formatDeviceRows, formatRowStory, formatRowSummary } from '../row-view.ts'
import { printable } from '../table.ts'
import {
  type Command,
  CommandFault,
  defineCommand,
  operatorOptions,
  operatorUsage,
  readOperator,
  UsageError,
} from './command.ts'
import { messageFilterOptions, messageFilterUsage, readFilter } from './filters.ts'
import { refusalSentence } from './refusal-sentence.ts'

const json = { type: 'boolean' } as const

const find = defineCommand({
  name: 'messages find',
  usage: '<term> [--no-rows] [--json]',
  summary:
    'Messages that carry an id: messageId, syncRequestId, communicationId, eventId, stageId, enrollmentId, nicId; also that of a device in an event file, unless --no-rows.',
  options: { 'no-rows': { type: 'boolean' }, json },
  words: { min: 1, max: 1 },
  async run({ values, words: [term = ''], tools }) {
    const journal = await tools.journal()
    const messages = await summarize(journal, await findMessages(journal, term))
    const { installation } = await tools.settings()
    const device = values['no-rows'] ? undefined : await findDevice(journal, term, installation)
    const { found = [], unsearched = [] } = device ?? {}
    if (values.json) {
      const rows = found.map(({ message, rows }) => ({ ...message, deviceRows: rows }))
      tools.print(JSON.stringify([...messages, ...rows], null, 2))
    } else {
      if (messages.length > 0) tools.print(formatMessages(messages))
      if (found.length > 0) tools.print(formatDeviceRows(found))
    }
    if (unsearched.length > 0) {
      const keys = unsearched.slice(0, 5).map(printable).join(', ')
      tools.terminal.stderr.write(`${unsearched.length} event files could not be searched for devices: ${keys}\n`)
    }
    if (messages.length === 0 && found.length === 0) throw new CommandFault(await notFound(journal, term))
  },
})

/** What was refused at the door has become no message. */
async function notFound(journal: Journal, term: string): Promise<string> {
  const refusals = await findRefusals(journal, term)
  const shown = refusals.slice(0, 3).map(({ id }) => `refusals show ${id}`)
  const atTheDoor = shown.length === 0 ? '' : ` A request with it was refused at the door: ${shown.join(', ')}`
  return `No message carries this id.${atTheDoor}`
}

const show = defineCommand({
  name: 'messages show',
  usage: '<key> [--json]',
  summary: 'What happened to one message: record, time line and calls on targets. Payloads are never shown.',
  options: { json },
  words: { min: 1, max: 1 },
  async run({ values, words: [key = ''], tools }) {
    const message = await showMessage(await tools.journal(), key)
    if (message === undefined) throw new CommandFault(refusalSentence('unknown-message', key))
    tools.print(values.json ? JSON.stringify(message, null, 2) : formatMessage(message))
  },
})

const list = defineCommand({
  name: 'messages list',
  usage: `[--state <state>] ${messageFilterUsage} [--limit <n>] [--json]`,
  summary: 'Messages, the latest change first; 50 unless --limit says otherwise.',
  options: { state: { type: 'string' }, ...messageFilterOptions, limit: { type: 'string', default: '50' }, json },
  async run({ values, tools }) {
    const filter = readFilter(values)
    const messages = await listMessages(await tools.journal(), filter)
    if (values.json) return tools.print(JSON.stringify(messages, null, 2))
    tools.print(messages.length === 0 ? 'No such messages.' : formatMessages(messages))
    if (messages.length === filter.limit) tools.print(`These are the latest ${filter.limit}; --limit shows more.`)
  },
})

const rerun = defineCommand({
  name: 'messages rerun',
  usage: `<key> [--from-start] [--force] ${operatorUsage}`,
  summary:
    'Runs a settled message again: only what is not confirmed, or with --from-start every call anew. With --force also a stage status although a later one of its stage was answered.',
  options: {
    'from-start': { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
    ...operatorOptions,
  },
  words: { min: 1, max: 1 },
  async run({ values, words: [key = ''], tools }) {
    const how = { ...readOperator(values), fromStart: values['from-start'], force: values.force }
    const done = await rerunMessage(await tools.journal(), key, how)
    if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
    tools.print(`Generation ${done.generation} of ${key} starts.`)
  },
})

const abort = defineCommand({
  name: 'messages abort',
  usage: `<key> ${operatorUsage}`,
  summary: 'Ends an open message: no further call, its line goes on, its sender is told ERROR.',
  options: operatorOptions,
  words: { min: 1, max: 1 },
  async run({ values, words: [key = ''], tools }) {
    const operator = readOperator(values)
    const journal = await tools.journal()
    const { compat } = (await tools.settings()).installation
    const done = await abortMessage(journal, key, operator, (message) =>
      abortWords(message, { form: compat, nowMs: journal.clock() }),
    )
    if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
    tools.print(`${key} is discarded.${done.held ? ` ${callsMayArrive}` : ''}`)
  },
})

const callsMayArrive =
  'A worker had it: a call that was being made at that moment may still arrive, no other follows. The line goes on when the worker is done with it.'

const rows = defineCommand({
  name: 'messages rows',
  usage: '<key> [--row <number> | --device <NIC>] [--json]',
  summary:
    'What became of the rows of an event file, or of one row or device: the call that carried it, and how it ended.',
  options: { row: { type: 'string' }, device: { type: 'string' }, json },
  words: { min: 1, max: 1 },
  async run({ values: { row, device, json }, words: [key = ''], tools }) {
    if (row !== undefined && device !== undefined) throw new UsageError('Say either --row or --device')
    if (row !== undefined && !/^[1-9]\d*$/.test(row)) throw new UsageError('--row takes a number from 1')
    const journal = await tools.journal()
    const message = await showMessage(journal, key)
    const file = message && (await readMessageFile(journal, key))
    if (message === undefined) throw new CommandFault(refusalSentence('unknown-message', key))
    const flow = message?.flow
    if (file === undefined || !isFileFlow(flow)) throw new CommandFault(`${printable(key)} has no file.`)

    if (row === undefined && device === undefined) {
      const summary = { rows: message.rows, leftOut: file.faults }
      return tools.print(json ? JSON.stringify(summary, null, 2) : formatRowSummary(message, file))
    }
    const { installation } = await tools.settings()
    const numbers = device === undefined ? undefined : await numbersByIndex(journal, key, device)
    const wanted = { row: row === undefined ? undefined : Number(row), device, numbers }
    const found = await Array.fromAsync(findRows(file, { ...wanted, ...rowSettings(flow, installation) }))
    if (found.length === 0) throw new CommandFault('The file has no such row.')
    tools.print(json ? JSON.stringify(found, null, 2) : found.map(formatRowStory).join('\n\n'))
  },
})

export const messageCommands: readonly Command[] = [find, show, list, rerun, abort, rows]
