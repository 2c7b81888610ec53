import type { LookupName } from '@tieline/contracts/flows'
import type { RowChange } from '@tieline/lookups/diff-rows'
import { descriptionColumn, type LookupRow, lookups } from '@tieline/lookups/lookups'
import { formatTable } from './table.ts'

/** The rows of a lookup under its columns; descriptions only when there are any. */
export function formatRows(lookup: LookupName, rows: readonly LookupRow[]): string {
  const columns = columnsOf(lookup, rows)
  return formatTable(
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? '')),
  )
}

/** Rows that are gone after a minus, new ones after a plus. */
export function formatChanges(lookup: LookupName, changes: readonly RowChange[]): string {
  const lines = changes.flatMap(({ before, after }) => [
    ...(before ? [{ sign: '-', row: before }] : []),
    ...(after ? [{ sign: '+', row: after }] : []),
  ])
  const columns = columnsOf(
    lookup,
    lines.map(({ row }) => row),
  )
  return formatTable(
    ['', ...columns],
    lines.map(({ sign, row }) => [sign, ...columns.map((column) => row[column] ?? '')]),
  )
}

function columnsOf(lookup: LookupName, rows: readonly LookupRow[]): string[] {
  const described = rows.some((row) => row[descriptionColumn] !== undefined)
  return [...lookups[lookup].columns, ...(described ? [descriptionColumn] : [])]
}
