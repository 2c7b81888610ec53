import type { LookupName } from '@tieline/contracts/flows'
import { diffRows } from '@tieline/lookups/diff-rows'
import { lookupNames, readLookupName } from '@tieline/lookups/lookup-name'
import type { LookupVersion } from '@tieline/lookups/stored-tables'
import { formatChanges, formatRows } from '../lookup-view.ts'
import { formatFields, formatTable } from '../table.ts'
import { formatTime } from '../times.ts'
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

const history = defineCommand({
  name: 'lookups history',
  usage: '<name>',
  summary: 'Who changed a lookup when and why, the latest first.',
  options: {},
  words: { min: 1, max: 1 },
  async run({ words: [name = ''], tools }) {
    const versions = await (await tools.lookups()).history(readName(name))
    const rows = versions.map(({ version, at, who, why, rows }) => [
      String(version),
      formatTime(Date.parse(at)),
      who,
      String(rows.length),
      why,
    ])
    tools.print(formatTable(['version', 'at', 'who', 'rows', 'why'], rows))
  },
})

const show = defineCommand({
  name: 'lookups show',
  usage: '<name> [--version <n>]',
  summary: 'A lookup with who put it there and why; with --version as it was at that version of the lookups.',
  options: { version: { type: 'string' } },
  words: { min: 1, max: 1 },
  async run({ values, words: [name = ''], tools }) {
    const lookup = readName(name)
    const shown = await versionAt(tools, lookup, values.version)
    const { version, at, who, why, rows } = shown
    tools.print(formatFields({ lookup, version, at: formatTime(Date.parse(at)), who, why, rows: rows.length }))
    tools.print('')
    tools.print(formatRows(lookup, rows))
  },
})

const diff = defineCommand({
  name: 'lookups diff',
  usage: '<name> [<from> [<to>]]',
  summary: 'What differs between two versions of a lookup; without them between the last two, with one up to now.',
  options: {},
  words: { min: 1, max: 3 },
  async run({ words: [name = '', from, to], tools }) {
    const lookup = readName(name)
    const after = await versionAt(tools, lookup, to)
    const before = from === undefined ? await versionBefore(tools, lookup, after) : await versionAt(tools, lookup, from)
    const changes = diffRows(lookup, before.rows, after.rows)
    tools.print(`${lookup}, from version ${before.version} to ${after.version}:`)
    tools.print(changes.length === 0 ? 'no difference.' : formatChanges(lookup, changes))
  },
})

const restore = defineCommand({
  name: 'lookups restore',
  usage: `<name> <version> ${operatorUsage}`,
  summary: 'Makes the rows of an earlier version the newest version.',
  options: operatorOptions,
  words: { min: 2, max: 2 },
  async run({ values, words: [name = '', wanted], tools }) {
    const operator = readOperator(values)
    const lookup = readName(name)
    const { rows, version: restored } = await versionAt(tools, lookup, wanted)
    const store = await tools.lookups()
    const before = store.current(lookup)
    const changes = diffRows(lookup, before.rows, rows)
    if (changes.length === 0) throw new CommandFault(`${lookup} has these rows already; nothing was changed.`)
    const why = `${operator.why} (restores version ${restored})`
    const version = await store.put(lookup, rows, { ...operator, why, expectedVersion: before.version })
    tools.print(`${lookup}: the ${rows.length} rows of version ${restored} are restored, as version ${version}.`)
    tools.print(formatChanges(lookup, changes))
  },
})

export function readName(text: string): LookupName {
  const lookup = readLookupName(text)
  if (lookup === undefined) throw new UsageError(`There is no such lookup; there are ${lookupNames.join(', ')}`)
  return lookup
}

/**
 * A version counts changes of all lookups, so a lookup is at the newest of its own versions up to that number: the one that an
 * attempt with this number on its time line has read. Without a number it is the current one.
 */
async function versionAt(tools: Tools, lookup: LookupName, wanted: string | undefined): Promise<LookupVersion> {
  const store = await tools.lookups()
  if (wanted === undefined) return store.current(lookup)
  if (!/^\d{1,15}$/.test(wanted)) throw new UsageError('A version is a whole number; see tieline lookups history')
  const { version: newest } = store.snapshot()
  if (Number(wanted) > newest)
    throw new CommandFault(`There is no version ${wanted} yet; the lookups are at ${newest}.`)
  const versions = await store.history(lookup)
  const found = versions.find(({ version }) => version <= Number(wanted))
  if (found !== undefined) return found
  throw new CommandFault(`${lookup} has no version ${wanted}; its first is ${versions.at(-1)?.version}.`)
}

async function versionBefore(tools: Tools, lookup: LookupName, after: LookupVersion): Promise<LookupVersion> {
  const versions = await (await tools.lookups()).history(lookup)
  const found = versions.find(({ version }) => version < after.version)
  if (found === undefined) throw new CommandFault(`${lookup} has only version ${after.version}.`)
  return found
}

export const lookupVersionCommands: readonly Command[] = [history, show, diff, restore]
