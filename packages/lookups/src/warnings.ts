import type { LookupSnapshot } from './snapshot.ts'

/** What DERMS' parameter OIC_NOTIFY_STAGE_STATUSES may name (wire-contracts 6). */
const stageStatuses = ['PLANNED', 'SCHEDULED', 'IN_PROGRESS', 'COMPLETED', 'CANCELED', 'FORCED_CANCELED'] as const

/** What a service says at its start: one sentence for every stage status that DERMS may send and nobody has mapped. */
export const warnings = (snapshot: LookupSnapshot): string[] =>
  stageStatuses
    .filter((status) => snapshot.find('StageStatus', status) === undefined)
    .map(
      (status) => `StageStatus has no row for ${status}: if DERMS sends it, the answer is ERROR and DACS is not called`,
    )
