import type { Notice } from '@tieline/contracts/notice'
import type { Attempt } from '@tieline/journal/types'
import { never, TielineError } from '@tieline/runtime/error'
import { errorNotice } from '@tieline/worker-service/endings'
import type { InboundRecord } from './inbound-records.ts'

/** So many of them are named in an e-mail; the reply names all. */
const namedMax = 3

/** The e-mail about records that break their contract and are answered ERROR; none when there are none. */
export function badRecordsNotices(
  attempt: Pick<Attempt, 'flow' | 'key' | 'number'>,
  entries: readonly InboundRecord[],
  nowMs: number,
): Notice[] {
  const faults = entries.flatMap((entry) => ('faults' in entry ? [entry.faults] : []))
  if (faults.length === 0) return []
  const rest = faults.length > namedMax ? `; and ${faults.length - namedMax} more` : ''
  const message = `${faults.length} of ${entries.length} records break their contract: ${faults.slice(0, namedMax).join('; ')}${rest}`
  const error = new TielineError('contract-violation', never, message)
  return [errorNotice({ attempt, error, next, nowMs })]
}

const next =
  'DERMS is told ERROR for each of them, and what is wrong. Nobody sends them again by itself: have them corrected and sent anew.'
