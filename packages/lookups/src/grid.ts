import type { LookupName } from '@tieline/contracts/flows'
import { plainSpelling } from './lookup-name.ts'
import { descriptionColumn, type LookupRow, type LookupSpec, lookups } from './lookups.ts'
import { type LookupFault, LookupRefused } from './refusal.ts'

/** A lookup as files hold it: a header and cells. */
export interface Grid {
  readonly header: readonly string[]
  readonly cells: readonly (readonly string[])[]
}

/** The rows of a lookup as a grid, with a description column if a row has one. */
export function toGrid(lookup: LookupName, rows: readonly LookupRow[]): Grid {
  const described = rows.some((row) => row[descriptionColumn] !== undefined)
  const header = [...lookups[lookup].columns, ...(described ? [descriptionColumn] : [])]
  return { header, cells: rows.map((row) => header.map((column) => row[column] ?? '')) }
}

/**
 * Reads a grid whose columns may come in any order and spelling. What the cells say is checked by `checkRows`.
 * @throws LookupRefused when a column is missing, unknown or there twice, or a row has too few or too many cells
 */
export function fromGrid(lookup: LookupName, grid: Grid): LookupRow[] {
  const spec = lookups[lookup]
  const columns = grid.header.map((title) => columnOf(spec, title))
  const faults: LookupFault[] = [
    ...columns.flatMap((column, index) =>
      column === undefined ? [{ rule: `the header's column ${index + 1} is none of ${spec.columns.join(', ')}` }] : [],
    ),
    ...spec.columns.flatMap((column) => (columns.includes(column) ? [] : [{ column, rule: 'missing in the header' }])),
    ...columns.flatMap((column, index) =>
      column !== undefined && columns.indexOf(column) < index ? [{ column, rule: 'twice in the header' }] : [],
    ),
    ...grid.cells.flatMap((cells, index) =>
      cells.length === columns.length
        ? []
        : [{ row: index + 1, rule: `has ${cells.length} cells under a header of ${columns.length}` }],
    ),
  ]
  if (faults.length > 0) throw new LookupRefused(lookup, faults)

  return grid.cells.map((cells) => {
    const named = columns.map((column, index) => [column ?? '', cells[index] ?? ''] as const)
    return Object.fromEntries(named.filter(([column, cell]) => column !== descriptionColumn || cell !== ''))
  })
}

/** Whether these cells name columns of the lookup, and nothing else. */
export const isHeader = (lookup: LookupName, cells: readonly string[]): boolean =>
  cells.length > 0 && cells.every((title) => columnOf(lookups[lookup], title) !== undefined)

function columnOf(spec: LookupSpec, title: string): string | undefined {
  const bare = plainSpelling(title)
  const known = [...spec.columns, descriptionColumn].find((column) => plainSpelling(column) === bare)
  return known ?? spec.columnAliases?.[bare]
}
