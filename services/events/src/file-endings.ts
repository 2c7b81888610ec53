import { flowSpec } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import type { Notice } from '@tieline/contracts/notice'
import type { RowTotals } from '@tieline/contracts/row-totals'
import type { Attempt, RowFault } from '@tieline/journal/types'

const faultsNamed = 5

/** All that DERMS wants to know of a success is how much it was; of anything else, what is missing. */
export function wordTotals({ read, confirmed, refused, unknown, notSent }: RowTotals): string {
  const records = `${read} ${read === 1 ? 'record' : 'records'}`
  if (confirmed === read) return records
  const rest = [
    ...(refused > 0 ? [`${refused} refused or left out`] : []),
    ...(unknown > 0 ? [`${unknown} of unknown outcome`] : []),
    ...(notSent > 0 ? [`${notSent} not sent`] : []),
  ]
  return `${records}: ${[`${confirmed} confirmed`, ...rest].join(', ')}`
}

/** The first rows that were left out, and why. */
export function wordFaults(faults: readonly RowFault[], total: number): string {
  const named = faults.slice(0, faultsNamed).map(({ row, rule }) => `Row ${row}: ${rule}`)
  return [...named, ...(total > named.length ? [`and ${total - named.length} more`] : [])].join('; ')
}

interface Completion {
  readonly attempt: Pick<Attempt, 'flow' | 'key' | 'number' | 'payload'>
  /** `completed`, or the failure code. */
  readonly code: string
  readonly totals?: RowTotals
  readonly next: string
  readonly nowMs: number
}

/** The e-mail to the business users at the end of a file, good or bad: numbers only. */
export const completionNotice = ({ attempt, code, totals, next, nowMs }: Completion): Notice => ({
  kind: 'process-complete',
  flow: attempt.flow,
  messageKey: attempt.key,
  code,
  summary: `${flowSpec(attempt.flow).title}: ${howItEnded(totals)}.`,
  attempts: attempt.number,
  occurredAt: new Date(nowMs).toISOString(),
  next,
  ...eventOf(attempt.payload),
  ...(totals && { rows: totals }),
})

/** Files of one event come many at a time; their mails are joined by it. */
function eventOf(payload: unknown): { readonly event?: string } {
  const events = valueAt(payload, 'eventIds')
  const named = [
    valueAt(payload, 'eventId'),
    ...(Array.isArray(events) ? events : [events]),
    valueAt(payload, 'stageId'),
  ]
  const event = named.map(textOf).find((name) => name !== undefined)
  return event === undefined ? {} : { event }
}

function howItEnded(totals: RowTotals | undefined): string {
  if (totals === undefined) return 'nothing was sent to DACS'
  if (totals.confirmed === totals.read) return `all ${totals.read} rows are in DACS`
  return `${totals.confirmed} of ${totals.read} rows are in DACS`
}
