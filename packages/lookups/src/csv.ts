import type { LookupName } from '@tieline/contracts/flows'
import Papa from 'papaparse'
import { fromGrid, toGrid } from './grid.ts'
import type { LookupRow } from './lookups.ts'
import { LookupRefused } from './refusal.ts'

/** The rows of a lookup as CSV (RFC 4180). Cells are written as they are, so that `readCsv` gives the same rows back. */
export function writeCsv(lookup: LookupName, rows: readonly LookupRow[]): string {
  const { header, cells } = toGrid(lookup, rows)
  return `${Papa.unparse([header, ...cells])}\r\n`
}

/**
 * Reads a lookup's CSV: comma-separated, with a header; the columns may come in any order, `Description` is optional.
 * Empty lines do not count. What the cells say is checked when the rows are put into the store.
 * @throws LookupRefused naming row and column
 */
export function readCsv(lookup: LookupName, text: string): LookupRow[] {
  // One kind of line end, so that nothing has to be guessed.
  const { data, errors } = Papa.parse<string[]>(text.replace(/\r\n?/g, '\n'), {
    delimiter: ',',
    newline: '\n',
    skipEmptyLines: 'greedy',
  })
  if (errors.length > 0) {
    throw new LookupRefused(
      lookup,
      errors.map(({ row }) => ({ ...(row === undefined ? {} : { row }), rule: 'quotes do not match' })),
    )
  }
  const [header, ...cells] = data
  if (header === undefined) throw new LookupRefused(lookup, [{ rule: 'the header is missing' }])
  return fromGrid(lookup, { header, cells })
}
