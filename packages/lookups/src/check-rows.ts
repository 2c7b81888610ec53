import type { LookupName } from '@tieline/contracts/flows'
import { configPropsRows } from './config-props.ts'
import { plainSpelling } from './lookup-name.ts'
import { descriptionColumn, type LookupRow, type LookupSpec, lookups, type Mapping } from './lookups.ts'
import { type LookupFault, LookupRefused } from './refusal.ts'

/**
 * Checks the rows of a lookup and returns them as they are stored: cells trimmed, properties and published codes in the spelling
 * of the guide, empty descriptions left out. `connections` are the names that Routing may use; undefined: not known here.
 * @throws LookupRefused with every fault
 */
export function checkRows(
  lookup: LookupName,
  rows: readonly LookupRow[],
  connections: ReadonlySet<string> | undefined,
): readonly LookupRow[] {
  const spec = lookups[lookup]
  const faults: LookupFault[] = []
  const fault = (index: number, column: string, rule: string) => faults.push({ row: index + 1, column, rule })

  const tidied = rows.map((row, index) => {
    const tidy = tidyRow(spec, row, (column, rule) => fault(index, column, rule))
    checkCells(spec, tidy, (column, rule) => fault(index, column, rule))
    return tidy
  })
  if (lookup === 'Routing' && connections) checkConnections(tidied, connections, fault)
  if (lookup === 'ConfigProps') checkPrefixes(tidied, fault)
  for (const mapping of spec.mappings) checkMappedOnce(tidied, mapping, fault)

  if (faults.length > 0) throw new LookupRefused(lookup, faults)
  return tidied
}

type RowFault = (column: string, rule: string) => void
type TableFault = (index: number, column: string, rule: string) => void

function tidyRow(spec: LookupSpec, row: LookupRow, fault: RowFault): LookupRow {
  for (const column of Object.keys(row)) {
    if (!spec.columns.includes(column) && column !== descriptionColumn) fault(column, 'no such column')
  }
  const tidy: Record<string, string> = {}
  for (const column of spec.columns) {
    const cell = row[column]
    if (cell === undefined) fault(column, 'missing')
    tidy[column] = knownSpelling(spec, column, (cell ?? '').trim())
  }
  const description = row[descriptionColumn]?.replace(/\r\n?/g, '\n').trim()
  if (description) tidy[descriptionColumn] = description

  if (!spec.properties) return tidy
  const [[keyColumn]] = spec.mappings
  const property = propertyOf(spec.properties, tidy[keyColumn] ?? '')
  if (property === undefined) fault(keyColumn, 'no such property')
  return { ...tidy, [keyColumn]: property ?? '' }
}

/** Codes are compared to the letter where they are used, so a published one gets its own letters. */
function knownSpelling({ known, mappings: [[, valueColumn]] }: LookupSpec, column: string, cell: string): string {
  if (column !== valueColumn) return cell
  return known?.find((code) => code.toLowerCase() === cell.toLowerCase()) ?? cell
}

const propertyOf = (properties: Readonly<Record<string, unknown>>, spelling: string): string | undefined =>
  Object.keys(properties).find((name) => plainSpelling(name) === plainSpelling(spelling))

function checkCells(spec: LookupSpec, row: LookupRow, fault: RowFault): void {
  for (const column of spec.columns) {
    if (/\p{Cc}/u.test(row[column] ?? '')) fault(column, 'must not hold control characters')
    if (spec.complete && !row[column]) fault(column, 'must not be empty')
  }
  if (spec.columns.every((column) => !row[column])) fault(spec.mappings[0][0], 'must not be empty')

  const [[keyColumn, valueColumn]] = spec.mappings
  const value = row[valueColumn] ?? ''
  const property = row[keyColumn] ?? ''
  const rule = spec.properties?.[property] ?? spec.value
  const issue = rule?.safeParse(value).error?.issues[0]
  if (issue) fault(valueColumn, spec.properties ? `${property} ${issue.message}` : issue.message)
}

function checkConnections(rows: readonly LookupRow[], connections: ReadonlySet<string>, fault: TableFault): void {
  for (const [index, row] of rows.entries()) {
    for (const column of ['DRMS_Site_Connection', 'DACS_Connection']) {
      const connection = row[column]
      if (connection && !connections.has(connection)) fault(index, column, 'no such connection')
    }
  }
}

const filePrefixName = 'dacs.dvcScore.extract.filename.prefix'

/** A file that has been transferred would be found again by its new name, and sent at every run. */
function checkPrefixes(rows: readonly LookupRow[], fault: TableFault): void {
  const find = (property: string) =>
    [...rows, ...configPropsRows].find(({ PropertyName }) => PropertyName === property)?.Value ?? ''
  const filePrefix = find(filePrefixName)
  // That is a fault of its own.
  if (filePrefix === '') return
  for (const property of ['dacs.prefixtag.fileuploaded', 'dacs.prefixtag.filenotuploaded']) {
    if (!find(property).startsWith(filePrefix)) continue
    const index = rows.findIndex(({ PropertyName }) => PropertyName === property)
    const named = index < 0 ? rows.findIndex(({ PropertyName }) => PropertyName === filePrefixName) : index
    fault(named, 'Value', `${property} must not begin like ${filePrefixName}`)
  }
}

/** A key may come again with the same value (Routing joins four columns in a row), but not with another one. */
function checkMappedOnce(rows: readonly LookupRow[], [keyColumn, valueColumn]: Mapping, fault: TableFault): void {
  const first = new Map<string, { value: string; row: number }>()
  for (const [index, row] of rows.entries()) {
    const key = (row[keyColumn] ?? '').toLowerCase()
    const value = row[valueColumn] ?? ''
    if (key === '' || value === '') continue
    const earlier = first.get(key)
    if (earlier === undefined) first.set(key, { value, row: index + 1 })
    else if (earlier.value !== value) fault(index, keyColumn, `has another ${valueColumn} in row ${earlier.row}`)
  }
}
