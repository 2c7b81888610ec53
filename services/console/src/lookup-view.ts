import type { LookupName } from '@tieline/contracts/flows'
import { descriptionColumn, type LookupRow, lookups } from '@tieline/lookups/lookups'
import { formatTable } from './table.ts'

/** The rows of a lookup under its columns; descriptions only when there are any. */
export function formatRows(lookup: LookupName, rows: readonly LookupRow[]): string {
  const described = rows.some((row) => row[descriptionColumn] !== undefined)
  const columns = [...lookups[lookup].columns, ...(described ? [descriptionColumn] : [])]
  return formatTable(
    columns,
    rows.map((row) => columns.map((column) => row[column] ?? '')),
  )
}
