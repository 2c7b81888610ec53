import { flowSpec } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { type DueMessage, noticeMessage } from './due-messages.ts'
import type { Journal } from './journal.ts'
import type { About, Entry } from './mail-windows.ts'
import type { DoorRefusal } from './refusals.ts'

/** So many faults are named in an e-mail; `tieline refusals show` has all of them. */
const faultsNamedMax = 3

interface RefusalNotice {
  /** Names the kind: flow, client and code. */
  readonly window: string
  readonly about: About
  readonly entry: Entry
  readonly mail: DueMessage
}

/** What people are told about a request that was refused at the door: paths and rules, never a value, nor an id of the sender. */
export function refusalNotice(journal: Journal, refusal: DoorRefusal): RefusalNotice {
  const { id, at, flow, client, code, status } = refusal
  const occurredAt = new Date(at).toISOString()
  const next = `Nothing of the request was taken, and ${client} was told so (HTTP ${status}). It is lost unless it is sent again: mend the cause, then have ${client} send it again.`
  const summary = `${flowSpec(flow).title}: a request of ${client} was refused at the door. ${faultsOf(refusal)}`
  const about = { kind: 'error', flow, code, client, occurredAt } as const
  const notice: Notice = { ...about, refusal: id, summary, httpStatus: status, next }
  return {
    window: ['refusal', flow, client, code].join('/'),
    about: { ...about, next: `For each of them, as for the first: ${next}` },
    entry: { refusal: id, summary, occurredAt },
    mail: noticeMessage(journal, notice, id),
  }
}

function faultsOf({ detail, errors }: DoorRefusal): string {
  if (errors.length === 0) return detail
  const named = errors.slice(0, faultsNamedMax).map(({ path, rule }) => (path === '' ? rule : `${path}: ${rule}`))
  const rest = errors.length - named.length
  return `${detail}: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}
