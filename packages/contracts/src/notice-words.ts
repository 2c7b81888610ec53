import { type FlowId, flowSpec, isFlowId } from './flows.ts'
import type { Notice } from './notice.ts'
import type { FieldError } from './problem.ts'

/** What an e-mail tells of the call that failed. */
export type CallFacts = Pick<Notice, 'connection' | 'httpStatus' | 'details'>

/** A message whose attempts fail. `message`: of the error. Times in milliseconds since 1970. */
export interface FailingMessage {
  readonly flow: FlowId
  readonly key: string
  readonly attempts: number
  readonly code: string
  readonly message: string
  readonly call: CallFacts
  readonly now: number
}

interface Trying extends FailingMessage {
  readonly failedSince: number
  readonly nextAt: number
  readonly until: number
}

const iso = (ms: number) => new Date(ms).toISOString()
const inWords = (ms: number) => `${iso(ms).slice(0, 19).replace('T', ' ')} UTC`

const factsOf = ({ flow, key, attempts, call, now }: FailingMessage) =>
  ({ kind: 'error', flow, messageKey: key, attempts, occurredAt: iso(now), ...call }) as const

const stillTrying = (failing: Trying) => ({
  ...factsOf(failing),
  trying: { again: iso(failing.nextAt), until: iso(failing.until) },
})

export const deniedNotice = (failing: Trying): Notice => ({
  ...stillTrying(failing),
  code: failing.code,
  summary: `${flowSpec(failing.flow).title}: ${failing.message}.`,
  next: 'Until the login is mended, nothing gets through; one call a minute tries. Tieline goes on trying; another e-mail follows if it gives up.',
})

export const stillFailingNotice = (failing: Trying): Notice => ({
  ...stillTrying(failing),
  code: 'still-failing',
  cause: failing.code,
  summary: `${flowSpec(failing.flow).title} has been failing for ${wordSeconds((failing.now - failing.failedSince) / 1_000)}: ${failing.message}.`,
  next: 'Tieline goes on trying; another e-mail follows if it gives up.',
})

function wordSeconds(seconds: number): string {
  const [count, unit] = seconds < 60 ? [seconds, 'second'] : [seconds / 60, 'minute']
  const rounded = Math.round(count)
  return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`
}

/** For messages that cannot even be read. */
export const unreadableNotice = (failing: FailingMessage): Notice => ({
  ...factsOf(failing),
  code: failing.code,
  summary: `${flowSpec(failing.flow).title} could not be worked on: ${failing.message}.`,
  next: 'Nobody could be answered. Mend the cause, then resubmit it.',
  rerun: 'dead resubmit',
})

interface Uncollected {
  readonly flow: string
  readonly key: string
  readonly outcome: string
  readonly attempts: number
  readonly now: number
}

export const uncollectedNotice = ({ flow, key, outcome, attempts, now }: Uncollected): Notice => ({
  kind: 'error',
  flow,
  messageKey: key,
  code: 'reply-uncollected',
  summary: `The result ${outcome} of a message was not collected by its sender.`,
  attempts,
  occurredAt: iso(now),
  next: 'The sender may not know the result. It gets it when it sends the message again.',
})

export const missedRunNotice = (transfer: string, dueAt: number): Notice => ({
  kind: 'error',
  flow: 'device-score',
  code: 'run-missed',
  summary: `The run of transfer ${transfer} that was due at ${iso(dueAt)} did not begin in time`,
  occurredAt: iso(dueAt),
  next: 'It begins as soon as a worker of device-score runs.',
})

export const recoveredNotice = (connection: string, downSince: number, answeredAt: number): Notice => ({
  kind: 'recovered',
  flow: 'notification',
  code: 'recovered',
  summary: `${connection} works again since ${inWords(answeredAt)}; it had failed since ${inWords(downSince)}.`,
  connection,
  occurredAt: iso(answeredAt),
  since: iso(downSince),
  next: 'What is still being tried goes on by itself. What was given up stays a dead letter until its sender sends it again, or you do.',
})

/** What a digest says about all that it stands for. */
export type DigestSubject = Pick<
  Notice,
  'kind' | 'flow' | 'code' | 'next' | 'occurredAt' | 'connection' | 'event' | 'client'
>

export function digestSummary(about: DigestSubject, count: number, since: number): string {
  const { kind, flow, code, connection, event, client } = about
  const what = isFlowId(flow) ? flowSpec(flow).title : flow
  const [files, failures, requests] = count === 1 ? ['file', 'failure', 'request'] : ['files', 'failures', 'requests']
  const from = `since ${inWords(since)}.`
  if (kind === 'process-complete') return `${what}: ${count} more ${files} of event ${event} ended ${from}`
  if (client !== undefined) return `${what}: ${count} more ${requests} of ${client} refused at the door ${from}`
  if (code === 'connection-down') return `${connection} is still down: ${count} more ${failures} ${from}`
  const where = connection === undefined ? '' : ` at ${connection}`
  return `${what}: ${count} more ${failures} of the same kind${where} ${from}`
}

export interface RefusedRequest {
  readonly id: string
  readonly at: number
  readonly flow: FlowId
  readonly client: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors: readonly FieldError[]
}

/** So many faults are named in an e-mail; `tieline refusals show` has all of them. */
const faultsNamedMax = 3

/** A request that was refused at the door: paths and rules, never a value, nor an id of the sender. */
export function refusedNotice(refusal: RefusedRequest): Notice & { readonly refusal: string } {
  const { id, at, flow, client, code, status } = refusal
  return {
    kind: 'error',
    flow,
    code,
    client,
    occurredAt: iso(at),
    refusal: id,
    summary: `${flowSpec(flow).title}: a request of ${client} was refused at the door. ${wordFaults(refusal)}`,
    httpStatus: status,
    next: `Nothing of the request was taken, and ${client} was told so (HTTP ${status}). It is lost unless it is sent again: mend the cause, then have ${client} send it again.`,
  }
}

function wordFaults({ detail, errors }: RefusedRequest): string {
  if (errors.length === 0) return detail
  const named = errors.slice(0, faultsNamedMax).map(({ path, rule }) => (path === '' ? rule : `${path}: ${rule}`))
  const rest = errors.length - named.length
  return `${detail}: ${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

interface Expiring {
  readonly name: string
  readonly words: string
  readonly connection?: string | undefined
  readonly expiresAt: number
}

export const expiringNotice = ({ name, words, connection, expiresAt }: Expiring, now: number): Notice => ({
  kind: 'expiring',
  flow: 'notification',
  code: 'certificate-expiring',
  summary: `${name}: the certificate ${wordExpiry(expiresAt, now)} (${words})`,
  occurredAt: iso(now),
  next: 'Once it has ended, what depends on it fails. Until then mails come at 30, 7 and 1 days.',
  ...(connection !== undefined && { connection }),
})

/** The rest of the sentence about a certificate, such as `ends in 7 days, on 2026-12-08 10:00 UTC`. */
export function wordExpiry(expiresAt: number, now: number): string {
  const at = `${iso(expiresAt).slice(0, 16).replace('T', ' ')} UTC`
  if (expiresAt <= now) return `ended on ${at}`
  const days = Math.floor((expiresAt - now) / 86_400_000)
  const left = days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`
  return `ends ${left}, on ${at}`
}
