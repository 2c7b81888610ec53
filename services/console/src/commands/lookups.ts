import { readFile, writeFile } from 'node:fs/promises'
import { extname, parse } from 'node:path'
import type { LookupName } from '@tieline/contracts/flows'
import { namedInCsv, readCsv, writeCsv } from '@tieline/lookups/csv'
import { lookupNames, readLookupName } from '@tieline/lookups/lookup-name'
import { type LookupRow, lookups } from '@tieline/lookups/lookups'
import { readOicLookup, writeOicLookup } from '@tieline/lookups/oic-json'
import { warningsOf } from '@tieline/lookups/warnings'
import { formatRows } from '../lookup-view.ts'
import { printable } from '../table.ts'
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
import { lookupVersionCommands, readName } from './lookup-versions.ts'

const get = defineCommand({
  name: 'lookups get',
  usage: '<name> [key]',
  summary: 'The rows of a lookup, or those of one key.',
  options: {},
  words: { min: 1, max: 2 },
  async run({ words: [name = '', key], tools }) {
    const lookup = readName(name)
    const { rows, version } = (await tools.lookups()).current(lookup)
    const shown = key === undefined ? rows : rows.filter((row) => hasKey(lookup, row, key))
    if (key !== undefined && shown.length === 0) throw new CommandFault(`${lookup} has no row for ${printable(key)}.`)
    tools.print(formatRows(lookup, shown))
    if (key === undefined) tools.print(`${rows.length} rows, version ${version}.`)
  },
})

const set = defineCommand({
  name: 'lookups set',
  usage: `<name> <key> <value…> ${operatorUsage}`,
  summary: 'Adds a row or replaces the one with the same first column; the values follow in the order of the columns.',
  options: operatorOptions,
  words: { min: 3, max: 16 },
  async run({ values, words: [name = '', ...cells], tools }) {
    const operator = readOperator(values)
    const lookup = readName(name)
    const { columns } = lookups[lookup]
    if (cells.length !== columns.length) throw new UsageError(`${lookup} has the columns ${columns.join(', ')}`)
    const store = await tools.lookups()
    const { rows, version: expectedVersion } = store.current(lookup)
    const row = Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']))
    const { changed, replaced } = withRow(rows, columns[0] ?? '', row)
    const version = await store.put(lookup, changed, { ...operator, expectedVersion })
    tools.print(`${lookup}: row ${replaced ? 'replaced' : 'added'}, version ${version}.`)
    warn(tools, lookup, [row])
  },
})

const importFile = defineCommand({
  name: 'lookups import',
  usage: `<file.csv | file.json> [--name <lookup>] ${operatorUsage}`,
  summary: 'Replaces all rows of a lookup by those of a CSV file or of an export of Oracle Integration.',
  options: { name: { type: 'string' }, ...operatorOptions },
  words: { min: 1, max: 1 },
  async run({ values, words: [file = ''], tools }) {
    const operator = readOperator(values)
    const { lookup, rows } = await readLookupFile(file, values.name)
    const store = await tools.lookups()
    const before = store.current(lookup)
    const version = await store.put(lookup, rows, { ...operator, expectedVersion: before.version })
    tools.print(`${lookup}: ${before.rows.length} rows replaced by ${rows.length}, version ${version}.`)
    warn(tools, lookup, store.rows(lookup))
  },
})

const exportFile = defineCommand({
  name: 'lookups export',
  usage: '<name> [--oic] [--out <file>]',
  summary: 'A lookup as CSV, or with --oic as the JSON of Oracle Integration.',
  options: { oic: { type: 'boolean', default: false }, out: { type: 'string' } },
  words: { min: 1, max: 1 },
  async run({ values, words: [name = ''], tools }) {
    const lookup = readName(name)
    const rows = (await tools.lookups()).rows(lookup)
    const text = values.oic ? `${JSON.stringify(writeOicLookup(lookup, rows), null, 2)}\n` : writeCsv(lookup, rows)
    if (values.out === undefined) return void tools.terminal.stdout.write(text)
    await writeFile(values.out, text)
    tools.print(`${rows.length} rows of ${lookup} written to ${values.out}.`)
  },
})

const deleteRow = defineCommand({
  name: 'lookups delete',
  usage: `<name> <key> [value…] ${operatorUsage}`,
  summary:
    'Deletes the row of a key. Where several rows have the key, all values say which, in the order of the columns.',
  options: operatorOptions,
  words: { min: 2, max: 16 },
  async run({ values, words: [name = '', ...cells], tools }) {
    const operator = readOperator(values)
    const lookup = readName(name)
    const store = await tools.lookups()
    const { rows, version: expectedVersion } = store.current(lookup)
    const found = rowsToDelete(lookup, rows, cells)
    const left = rows.filter((row) => !found.includes(row))
    const version = await store.put(lookup, left, { ...operator, expectedVersion })
    tools.print(`${lookup}: ${found.length === 1 ? 'row' : `${found.length} equal rows`} deleted, version ${version}.`)
    const holds = lookup === 'ConfigProps' ? store.snapshot().find(lookup, cells[0] ?? '') : undefined
    if (holds !== undefined) tools.print(`Its default holds from now on: ${printable(holds)}`)
  },
})

const sameKey = (one: string | undefined, other: string) => one?.toLowerCase() === other.toLowerCase()

const hasKey = (lookup: LookupName, row: LookupRow, key: string) =>
  lookups[lookup].mappings.some(([column]) => sameKey(row[column], key))

/** The rows with this one in the place of the one with the same key, whose description stays. */
function withRow(rows: readonly LookupRow[], keyColumn: string, row: LookupRow) {
  const at = rows.findIndex((old) => sameKey(old[keyColumn], row[keyColumn] ?? ''))
  const changed = at === -1 ? [...rows, row] : rows.with(at, { ...rows[at], ...row })
  return { changed, replaced: at !== -1 }
}

/** @throws UsageError; CommandFault when there is none, or not one alone */
function rowsToDelete(lookup: LookupName, rows: readonly LookupRow[], cells: readonly string[]): LookupRow[] {
  const [key = ''] = cells
  const { columns } = lookups[lookup]
  if (cells.length !== 1 && cells.length !== columns.length)
    throw new UsageError(`Give the key, or all values: ${columns.join(', ')}`)
  if (cells.length === 1 && key === '') throw new UsageError('An empty key is that of no row')
  const found =
    cells.length === 1
      ? rows.filter((row) => hasKey(lookup, row, key))
      : rows.filter((row) => columns.every((column, i) => sameKey(row[column], cells[i] ?? '')))
  const [first] = found
  if (first === undefined) throw new CommandFault(`${lookup} has no row for ${cells.map(printable).join(' ')}.`)
  if (found.every((row) => columns.every((column) => sameKey(row[column], first[column] ?? '')))) return found
  const list = formatRows(lookup, found)
  throw new CommandFault(
    `${lookup} has ${found.length} rows for ${printable(key)}; give all values of one of them:\n${list}`,
  )
}

/** Rows that are stored, but that nobody has published so. */
function warn(tools: Tools, lookup: LookupName, rows: readonly LookupRow[]): void {
  for (const warning of warningsOf(lookup, rows)) tools.print(`Warning: ${printable(warning)}.`)
}

/** Reads a file; a CSV file is named after its lookup, or names it in its first line, unless `--name` says which it is. */
async function readLookupFile(
  file: string,
  name: string | undefined,
): Promise<{ lookup: LookupName; rows: LookupRow[] }> {
  const named = readLookupName(name ?? parse(file).name)
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFault(`The file cannot be read (${error.code ?? 'unknown'}).`)
  })
  if (extname(file).toLowerCase() === '.json') {
    const read = readOicLookup(parseJson(content))
    if (name !== undefined && read.lookup !== named) throw new CommandFault(`The file holds the lookup ${read.lookup}.`)
    return read
  }
  const lookup = named ?? (name === undefined ? namedInCsv(content) : undefined)
  if (lookup === undefined) throw new UsageError(`--name says which lookup it is: ${lookupNames.join(', ')}`)
  return { lookup, rows: readCsv(lookup, content) }
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    throw new CommandFault('The file is not JSON.')
  }
}

export const lookupCommands: readonly Command[] = [
  get,
  set,
  deleteRow,
  importFile,
  exportFile,
  ...lookupVersionCommands,
]
