import type { LookupName } from '@tieline/contracts/flows'
import { lookupNames } from './lookup-name.ts'
import { type LookupRow, lookups } from './lookups.ts'
import type { LookupSnapshot } from './snapshot.ts'

/** What DERMS' parameter OIC_NOTIFY_STAGE_STATUSES may name (docs/wire-facts.md, Parameters of DERMS). */
const stageStatuses = ['PLANNED', 'SCHEDULED', 'IN_PROGRESS', 'COMPLETED', 'CANCELED', 'FORCED_CANCELED'] as const

/**
 * What a service says at its start: one sentence for every stage status that DERMS may send and nobody has mapped, and one for
 * every code that is not published.
 */
export const warnings = (snapshot: LookupSnapshot, rows: (lookup: LookupName) => readonly LookupRow[]): string[] => [
  ...stageStatuses
    .filter((status) => snapshot.find('StageStatus', status) === undefined)
    .map(
      (status) => `StageStatus has no row for ${status}: if DERMS sends it, the answer is ERROR and DACS is not called`,
    ),
  ...lookupNames.flatMap((lookup) => warningsOf(lookup, rows(lookup))),
]

/** One sentence for every code of these rows that is taken, but not published. */
export function warningsOf(lookup: LookupName, rows: readonly LookupRow[]): string[] {
  const { known, mappings } = lookups[lookup]
  const [[keyColumn, valueColumn]] = mappings
  if (known === undefined) return []
  return rows
    .filter((row) => !known.includes(row[valueColumn] ?? ''))
    .map(
      (row) =>
        `${lookup} gives ${JSON.stringify(row[valueColumn])} for ${JSON.stringify(row[keyColumn])}, which is none of ${known.join(', ')}: DACS gets it as it is`,
    )
}
