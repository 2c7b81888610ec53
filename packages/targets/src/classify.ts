import type { FailureCode } from '@tieline/contracts/failures'
import { type FarWords, readFarWords } from '@tieline/contracts/far-words'
import { after, backoff, type CallOutcome, never, type Retry } from '@tieline/runtime/error'
import type { Broken, Exchanged } from './exchange.ts'

/** What a failed call means: its code, whether to try again, and what it did to the target. */
export interface Verdict {
  readonly code: FailureCode
  readonly retry: Retry
  readonly outcome: CallOutcome
  /** Completes the sentence "<connection>: <operation> …". Holds no text of the far side. */
  readonly message: string
  /** Why the token endpoint gave no token, in its words. */
  readonly words?: FarWords | undefined
}

export interface FailedResult {
  readonly ok: false
  readonly verdict: Verdict
  /** HTTP status; absent when the target gave no answer. */
  readonly status?: number
  /** JSON, or the text of an answer that is none. */
  readonly body?: unknown
}

export type Result = { readonly ok: true; readonly status: number; readonly body: unknown } | FailedResult

/** Success in every flow; 202 is success in the score transfer only. */
const successStatuses: ReadonlySet<number> = new Set([200, 201, 204])

/** A target may not silence us for longer than the slowest schedule of our own would. */
const maxRetryAfterMs = 900_000

/**
 * What came of one exchange with a target.
 * 400 is the only business refusal; everything else that is not success is technical. A call has `failed` when the
 * target certainly did not apply it, and its outcome is `unknown` as soon as that is in doubt.
 * The body of a success is not judged, but one that is too large to read leaves the caller without a result.
 */
export function classify(exchanged: Exchanged, success = successStatuses, nowMs = Date.now()): Result {
  if (exchanged.kind === 'broken') return { ok: false, verdict: classifyBreak(exchanged) }
  const { status, retryAfter } = exchanged
  const { body, text } = answerOf(exchanged)
  if (!success.has(status)) {
    return { ok: false, verdict: classifyStatus(status, retryAfter, nowMs), status, body: body ?? text }
  }
  if (exchanged.kind === 'answer') return { ok: true, status, body }
  const message = `answered ${status} with too large a body`
  return { ok: false, verdict: { code: 'target-answer-invalid', ...unknownBackoff, message }, status }
}

const answerOf = (exchanged: Exchanged) =>
  exchanged.kind === 'answer' ? exchanged : { body: undefined, text: undefined }

/**
 * Why there is no token. The call itself was not made, so it has `failed` whatever went wrong.
 * OAuth 2 refuses a client with 400 or 401 (RFC 6749, section 5.2).
 */
export function classifyTokenFailure(exchanged: Exchanged, nowMs = Date.now()): Verdict {
  if (exchanged.kind === 'broken') {
    const why = exchanged.errorCode ?? exchanged.reason
    const message = `got no token: no answer of the token endpoint (${why})`
    return { code: 'target-unreachable', ...failedBackoff, message }
  }
  const { body, text } = answerOf(exchanged)
  const told = {
    message: `got no token: the token endpoint answered ${exchanged.status}`,
    // What is no refusal may be a token.
    words: exchanged.status >= 400 ? readFarWords(body ?? text) : undefined,
  }
  switch (exchanged.status) {
    case 400:
    case 401:
    case 403:
      return { code: 'target-unauthorized', ...failedBackoff, ...told }
    case 429:
      return { ...classifyStatus(429, exchanged.retryAfter, nowMs), ...told }
    default:
      return { code: 'target-unreachable', ...failedBackoff, ...told }
  }
}

/** Why there is no answer. */
export function classifyBreak({ reason, sent, errorCode }: Broken): Verdict {
  if (reason === 'stopped') {
    return sent
      ? { code: 'target-reset', ...unknownBackoff, message: 'was stopped before its answer came' }
      : { code: 'target-reset', ...failedBackoff, message: 'was stopped before it was sent' }
  }
  const why = errorCode ?? (reason === 'timeout' ? 'timeout' : 'no reason given')
  if (!sent || refusesCertificate(errorCode)) {
    return { code: 'target-unreachable', ...failedBackoff, message: `got no connection (${why})` }
  }
  return reason === 'timeout'
    ? { code: 'target-timeout', ...unknownBackoff, message: 'got no answer in time' }
    : { code: 'target-reset', ...unknownBackoff, message: `lost its connection (${why})` }
}

const failedBackoff = { retry: backoff, outcome: 'failed' } as const
const unknownBackoff = { retry: backoff, outcome: 'unknown' } as const

function classifyStatus(status: number, retryAfter: string | undefined, nowMs: number): Verdict {
  const message = `answered ${status}`
  switch (status) {
    case 400:
      return { code: 'target-refused', retry: never, outcome: 'refused', message }
    case 401:
      return { code: 'target-unauthorized', ...failedBackoff, message }
    case 403:
      return { code: 'target-forbidden', ...failedBackoff, message }
    case 404:
      return { code: 'target-not-found', ...failedBackoff, message }
    case 429:
      return { code: 'target-throttled', retry: readRetryAfter(retryAfter, nowMs), outcome: 'failed', message }
    case 503:
      return { code: 'target-error', retry: readRetryAfter(retryAfter, nowMs), outcome: 'unknown', message }
    default:
      return { code: 'target-error', ...unknownBackoff, message }
  }
}

/** With TLS 1.3 a target refuses our certificate only after our side has finished, but before it reads a request. */
const refusesCertificate = (errorCode: string | undefined): boolean =>
  errorCode !== undefined &&
  /ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(errorCode)

/** Seconds or a date (RFC 9110, section 10.2.3). Without a usable value, or with one that has passed, the flow's own schedule holds. */
function readRetryAfter(value: string | undefined, nowMs: number): Retry {
  if (value === undefined) return backoff
  const delayMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return delayMs > 0 ? after(Math.min(delayMs, maxRetryAfterMs)) : backoff
}
