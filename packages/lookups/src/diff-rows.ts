import type { LookupName } from '@tieline/contracts/flows'
import { descriptionColumn, type LookupRow, lookups } from './lookups.ts'

/** What became of a row: without `before` it is new, without `after` it is gone. */
export interface RowChange {
  readonly before?: LookupRow
  readonly after?: LookupRow
}

/**
 * What differs between two versions of a lookup. A row that is gone and a new one with the same key are one change, where no other
 * row has the key. The order of rows says nothing.
 */
export function diffRows(lookup: LookupName, before: readonly LookupRow[], after: readonly LookupRow[]): RowChange[] {
  const gone = without(before, after)
  const added = without(after, before)
  const changes = gone.map((row): RowChange => {
    const alike = added.filter((other) => keyOf(lookup, other) === keyOf(lookup, row))
    const [only] = alike
    const pairs = gone.filter((other) => keyOf(lookup, other) === keyOf(lookup, row))
    return only !== undefined && alike.length === 1 && pairs.length === 1
      ? { before: row, after: only }
      : { before: row }
  })
  const paired = new Set(changes.map(({ after }) => after))
  return [...changes, ...added.filter((row) => !paired.has(row)).map((row) => ({ after: row }))]
}

/** Each row of `rows` that `others` does not have, as often as it has it less. */
function without(rows: readonly LookupRow[], others: readonly LookupRow[]): LookupRow[] {
  const left = new Map<string, number>()
  for (const row of others) left.set(textOf(row), (left.get(textOf(row)) ?? 0) + 1)
  return rows.filter((row) => {
    const count = left.get(textOf(row)) ?? 0
    left.set(textOf(row), count - 1)
    return count <= 0
  })
}

const keyOf = (lookup: LookupName, row: LookupRow): string =>
  [...new Set(lookups[lookup].mappings.map(([column]) => (row[column] ?? '').toLowerCase()))].join('\u0000')

const textOf = (row: LookupRow): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([column, cell]) => column !== descriptionColumn || cell !== '')
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )
