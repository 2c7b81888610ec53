import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { type AttentionItem, attentionNewestFirst, discardAttention } from '@tieline/journal/attention'
import { type Bulk, type BulkRefusal, rerunAll } from '@tieline/journal/bulk'
import type { Journal } from '@tieline/journal/journal'
import { rerunMessage } from '@tieline/journal/operations'
import { readRefusals } from '@tieline/journal/refusals/refusals'
import { formatGroups, formatItems, keyOf } from '../attention-view.ts'
import { firstOf } from '../first-of.ts'
import { printable } from '../table.ts'
import type { Tools } from '../tools.ts'
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

const list = defineCommand({
  name: 'attention list',
  usage: `${messageFilterUsage} [--grouped] [--limit <n>] [--json]`,
  summary:
    'What somebody has to look at: dead letters, refused messages, acknowledgments that were not delivered, refusals at the door. The latest first, 50 unless --limit says otherwise; --grouped counts all of them by kind.',
  options: {
    ...messageFilterOptions,
    grouped: { type: 'boolean', default: false },
    limit: { type: 'string', default: '50' },
    json: { type: 'boolean' },
  },
  async run({ values, tools }) {
    const { limit = 50, ...filter } = readFilter(values)
    const wanted = values.grouped ? Number.POSITIVE_INFINITY : limit
    const items = await firstOf(attentionNewestFirst(await tools.journal(), filter, wanted), wanted)
    if (values.json) return tools.print(JSON.stringify(items.map(flat), null, 2))
    if (items.length === 0) return tools.print('Nothing needs attention.')
    tools.print(values.grouped ? formatGroups(items, Date.now()) : formatItems(items))
    if (!values.grouped && items.length === limit)
      tools.print(`These are the latest ${limit}; --limit shows more, --grouped counts all.`)
  },
})

const flat = (item: AttentionItem) =>
  item.kind === 'door' ? { kind: item.kind, ...item.refusal } : { kind: item.kind, ...item.message }

const bulkOptions = {
  filter: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  ...operatorOptions,
} as const

const bulkUsage = `<key> | --filter ${bulkFilterUsage} [--dry-run] [--yes]`

const rerun = defineCommand({
  name: 'attention rerun',
  usage: `${bulkUsage} [--from-start] ${operatorUsage}`,
  summary:
    'Runs dead letters and refused messages again: only what is not confirmed, or with --from-start every call anew. The messages of a line run in the order of their first acceptance.',
  options: { ...bulkOptions, 'from-start': { type: 'boolean', default: false } },
  words: { min: 0, max: 1 },
  async run({ values, words: [key], tools }) {
    const { filter, dryRun, operator } = readWish(values, key)
    const how = { ...operator, fromStart: values['from-start'], onlyFailed: true }
    const journal = await tools.journal()
    if (key !== undefined) {
      const [refusal] = await readRefusals(journal, [key])
      if (refusal !== undefined)
        throw new CommandFault(`${key} was refused at the door: its sender has to send it again.`)
      const done = await rerunMessage(journal, key, how)
      if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
      return tools.print(`Generation ${done.generation} of ${key} starts.`)
    }
    const found = await firstOf(attentionNewestFirst(journal, filter), Number.POSITIVE_INFINITY)
    const messages = found.flatMap((item) => (item.kind === 'door' ? [] : [item.message]))
    const atTheDoor = found.length - messages.length
    if (atTheDoor > 0)
      tools.print(`${atTheDoor} refused at the door cannot be run from here: their senders have to send them again.`)
    const rerunnable = found.filter(({ kind }) => kind !== 'door')
    if (!(await mayGoOn(rerunnable, { dryRun, yes: values.yes, verb: 'rerun' }, tools))) return
    const bulk = await rerunAll(journal, messages, how, progressOn(tools, messages.length))
    reportBulk(bulk, messages.length, 'run again', tools)
  },
})

const discard = defineCommand({
  name: 'attention discard',
  usage: `${bulkUsage} ${operatorUsage}`,
  summary: 'Gives up what needs attention. A refusal at the door stays kept for its 7 days.',
  options: bulkOptions,
  words: { min: 0, max: 1 },
  async run({ values, words: [key], tools }) {
    const { filter, dryRun, operator } = readWish(values, key)
    const journal = await tools.journal()
    if (key !== undefined) {
      const done = await discardAttention(journal, key, operator)
      if (done.kind !== 'ok') throw new CommandFault(refusalSentence(done.kind, key))
      return tools.print(`${printable(key)} is discarded.`)
    }
    const found = await firstOf(attentionNewestFirst(journal, filter), Number.POSITIVE_INFINITY)
    if (!(await mayGoOn(found, { dryRun, yes: values.yes, verb: 'discarded' }, tools))) return
    const bulk = await discardAll(journal, found, operator, progressOn(tools, found.length))
    reportBulk(bulk, found.length, 'discarded', tools)
  },
})

type Wish = Readonly<{ filter?: string | undefined; 'dry-run': boolean; reason?: string; who?: string }>

/** @throws UsageError */
function readWish(values: Wish, key: string | undefined) {
  if ((key === undefined) === (values.filter === undefined)) throw new UsageError('Say either a key or --filter')
  const dryRun = values['dry-run']
  if (dryRun && key !== undefined) throw new UsageError('--dry-run goes with --filter')
  const filter = values.filter === undefined ? {} : readBulkFilter(values.filter)
  return { filter, dryRun, operator: dryRun ? { who: '', why: '' } : readOperator(values) }
}

const previewMax = 20

/** Shows what would be done to what, and asks whoever sits at a terminal. */
async function mayGoOn(
  items: readonly AttentionItem[],
  { dryRun, yes, verb }: { dryRun: boolean; yes: boolean; verb: string },
  { terminal, print }: Tools,
): Promise<boolean> {
  if (items.length === 0) {
    print('Nothing that needs attention matches.')
    return false
  }
  const { stdin, stderr } = terminal
  const asks = !dryRun && !yes && stdin.isTTY === true
  if (!dryRun && !asks) return true
  print(formatGroups(items, Date.now()))
  if (dryRun) {
    print(`\n${formatItems(items.slice(0, previewMax))}`)
    if (items.length > previewMax) print(`and ${items.length - previewMax} more`)
    print(`\n${items.length} would be ${verb}; nothing was changed.`)
    return false
  }
  const prompt = createInterface({ input: stdin })
  stderr.write(`${items.length} will be ${verb}. Go on? [y/N] `)
  try {
    // The end of the input is no yes.
    const answer = await Promise.race([prompt.question(''), once(prompt, 'close').then(() => '')])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    prompt.close()
  }
}

/** As many as with a rerun. */
const discardedAtOnce = 8

async function discardAll(
  journal: Journal,
  items: readonly AttentionItem[],
  operator: Parameters<typeof discardAttention>[2],
  progress: (through: number) => void,
): Promise<Bulk> {
  const refused = new Map<BulkRefusal, number>()
  let through = 0
  const waiting = items.values()
  const next = async () => {
    for (const item of waiting) {
      const { kind } = await discardAttention(journal, keyOf(item), operator)
      if (kind !== 'ok') refused.set(kind, (refused.get(kind) ?? 0) + 1)
      through += 1
      progress(through)
    }
  }
  await Promise.all(Array.from({ length: discardedAtOnce }, next))
  return { done: items.length - [...refused.values()].reduce((sum, count) => sum + count, 0), refused }
}

export const attentionCommands: readonly Command[] = [list, rerun, discard]
