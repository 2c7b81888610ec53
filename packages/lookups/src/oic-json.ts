import type { LookupName } from '@tieline/contracts/flows'
import { z } from 'zod'
import { fromGrid, toGrid } from './grid.ts'
import { oicLookupName, readLookupName } from './lookup-name.ts'
import type { LookupRow } from './lookups.ts'
import { LookupRefused } from './refusal.ts'

/** A lookup as Oracle Integration's REST API gives and takes it; what else it says about a lookup does not matter here. */
const oicLookup = z.object({
  name: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.object({ rowData: z.array(z.string().nullable()) })),
})

export type OicLookup = z.infer<typeof oicLookup>

/** The rows of a lookup in the shape of Oracle Integration's REST API, under the name it has there. */
export function writeOicLookup(lookup: LookupName, rows: readonly LookupRow[]): OicLookup {
  const { header, cells } = toGrid(lookup, rows)
  return {
    name: oicLookupName(lookup),
    columns: [...header],
    rows: cells.map((rowData) => ({ rowData: [...rowData] })),
  }
}

/**
 * Reads a lookup from the shape of Oracle Integration's REST API, its name with or without the prefix.
 * What the cells say is checked when the rows are put into the store.
 * @throws LookupRefused when the shape, the name, a column or the length of a row is wrong
 */
export function readOicLookup(body: unknown): { lookup: LookupName; rows: LookupRow[] } {
  const parsed = oicLookup.safeParse(body)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, code }) => ({ rule: `${path.join('.') || 'body'}: ${code}` }))
    throw new LookupRefused(undefined, faults)
  }
  const { name, columns, rows } = parsed.data
  const lookup = readLookupName(name)
  if (lookup === undefined) throw new LookupRefused(undefined, [{ rule: 'name: no such lookup' }])
  const cells = rows.map(({ rowData }) => rowData.map((cell) => cell ?? ''))
  return { lookup, rows: fromGrid(lookup, { header: columns, cells }) }
}
