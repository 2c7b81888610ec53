import type { LookupName } from '@tieline/contracts/flows'
import Papa from 'papaparse'
import { fromGrid, isHeader, toGrid } from './grid.ts'
import { readLookupName } from './lookup-name.ts'
import type { LookupRow } from './lookups.ts'
import { LookupRefused } from './refusal.ts'

/** The rows of a lookup as CSV (RFC 4180). Cells are written as they are, so that `readCsv` gives the same rows back. */
export function writeCsv(lookup: LookupName, rows: readonly LookupRow[]): string {
  const { header, cells } = toGrid(lookup, rows)
  return `${Papa.unparse([header, ...cells])}\r\n`
}

/**
 * Reads a lookup's CSV: comma-separated, with a header; the columns may come in any order, `Description` is optional. Above the
 * header may be a line with the name of the lookup, as Oracle Integration writes it. Empty lines do not count. What the cells say
 * is checked when the rows are put into the store.
 * @throws LookupRefused naming row and column
 */
export function readCsv(lookup: LookupName, text: string): LookupRow[] {
  const { data, errors } = parse(text)
  if (errors.length > 0) {
    throw new LookupRefused(
      lookup,
      errors.map(({ row }) => ({ ...(row === undefined ? {} : { row }), rule: 'quotes do not match' })),
    )
  }
  const [header, ...cells] = withoutName(lookup, data)
  if (header === undefined) throw new LookupRefused(lookup, [{ rule: 'the header is missing' }])
  return fromGrid(lookup, { header, cells })
}

/** The lookup that a CSV names above its header. */
export function namedInCsv(text: string): LookupName | undefined {
  const [first = []] = parse(text).data
  return nameIn(first)
}

function withoutName(lookup: LookupName, lines: string[][]): string[][] {
  const [first = [], second, ...rest] = lines
  if (isHeader(lookup, first)) return lines
  const named = nameIn(first)
  if (named !== undefined && named !== lookup) {
    throw new LookupRefused(lookup, [{ rule: `the line above the header says that it is ${named}` }])
  }
  if (second === undefined) return named === undefined ? lines : []
  if (named === undefined && !isHeader(lookup, second)) return lines
  // The name has a line to itself, or shares it with a description and empty cells.
  return [second, ...rest]
}

const nameIn = (cells: readonly string[]): LookupName | undefined => {
  const name = cells.find((cell) => cell.trim() !== '')
  return name === undefined ? undefined : readLookupName(name)
}

function parse(text: string) {
  // One kind of line end, so that nothing has to be guessed.
  return Papa.parse<string[]>(text.replace(/\r\n?/g, '\n'), {
    delimiter: ',',
    newline: '\n',
    skipEmptyLines: 'greedy',
  })
}
