import type { LookupName } from '@tieline/contracts/flows'
import { never, TielineError } from '@tieline/runtime/error'
import { type ConfigProps, configProps, configPropsRows } from './config-props.ts'
import { mailboxesOf } from './email-id.ts'
import { lookupNames } from './lookup-name.ts'
import { type LookupRow, lookups } from './lookups.ts'

/** The rows of all ten lookups. */
export type LookupTables = Readonly<Record<LookupName, readonly LookupRow[]>>

/** A row of Routing: what belongs together. An empty text means that the row does not say. */
export interface RoutingRow {
  readonly instance: string
  readonly dermsConnection: string
  readonly division: string
  readonly dacsConnection: string
}

/** All lookups at one moment. It never changes, so that an attempt sees one version from its start to its end. */
export interface LookupSnapshot {
  /** Grows with every change of any lookup. */
  readonly version: number
  readonly configProps: ConfigProps
  /** Each as a mail header has it: an address, or `"Name" <address>`. */
  readonly mail: {
    readonly from?: string
    readonly to: readonly string[]
    readonly toProcessNotification: readonly string[]
  }
  /** What the lookup's first column translates to; keys are compared without case. Undefined: no row. */
  find(lookup: LookupName, key: string): string | undefined
  /** @throws TielineError `lookup-missing` naming lookup and key */
  require(lookup: LookupName, key: string): string
  readonly routing: readonly RoutingRow[]
}

/**
 * Makes the snapshot of tables that `checkRows` has let through. Rows of ConfigProps go over the defaults one by one.
 * @throws when a stored property does not have its type any more
 */
export function createSnapshot(tables: LookupTables, version: number): LookupSnapshot {
  const indexes = new Map(lookupNames.map((lookup) => [lookup, indexOf(lookup, tables[lookup])]))
  indexes.set('ConfigProps', indexOf('ConfigProps', [...configPropsRows, ...tables.ConfigProps]))
  const find = (lookup: LookupName, key: string) => indexes.get(lookup)?.get(key.toLowerCase())

  const properties = Object.keys(configProps.shape).map((name) => [name, find('ConfigProps', name) ?? ''])
  const [from] = mailboxesOf(find('Email_ID', 'From'))
  return {
    version,
    configProps: configProps.parse(Object.fromEntries(properties)),
    mail: {
      ...(from === undefined ? {} : { from }),
      to: mailboxesOf(find('Email_ID', 'To')),
      toProcessNotification: mailboxesOf(find('Email_ID', 'to.process.notification')),
    },
    find,
    require(lookup, key) {
      const value = find(lookup, key)
      if (value === undefined) throw new TielineError('lookup-missing', never, missingRow(lookup, key))
      return value
    },
    routing: tables.Routing.map((row) => ({
      instance: row.DRMS_Instance ?? '',
      dermsConnection: row.DRMS_Site_Connection ?? '',
      division: row.DACS_CIS_Division ?? '',
      dacsConnection: row.DACS_Connection ?? '',
    })),
  }
}

/** The rows that the lookups start with. */
export const defaultTables = (): LookupTables =>
  Object.fromEntries(lookupNames.map((lookup) => [lookup, lookups[lookup].defaults])) as LookupTables

/** Keys are codes, but what a sender puts there is cut and escaped before people read it. */
const missingRow = (lookup: LookupName, key: string): string =>
  `${lookup} has no row for ${JSON.stringify(key.slice(0, 80))}`

function indexOf(lookup: LookupName, rows: readonly LookupRow[]): ReadonlyMap<string, string> {
  const [[keyColumn, valueColumn]] = lookups[lookup].mappings
  const index = new Map<string, string>()
  for (const row of rows) {
    const key = row[keyColumn]
    const value = row[valueColumn]
    if (key && value) index.set(key.toLowerCase(), value)
  }
  return index
}
