import type { FailureCode } from '@tieline/contracts/failures'

/** What to do after an error. It travels with the error, so that nobody has to guess from a message text. */
export type Retry = { kind: 'never' } | { kind: 'backoff' } | { kind: 'after'; delayMs: number }

export const never: Retry = { kind: 'never' }
export const backoff: Retry = { kind: 'backoff' }
export const after = (delayMs: number): Retry => ({ kind: 'after', delayMs })

/**
 * An error with a stable code and its retry decision.
 * `message` is for operators: it goes to logs, job reasons and e-mails, so it never holds a payload value or a far side's text.
 */
export class TielineError extends Error {
  readonly code: FailureCode
  readonly retry: Retry

  constructor(code: FailureCode, retry: Retry, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TielineError'
    this.code = code
    this.retry = retry
  }
}

/**
 * What a failed call did to the target: `refused` it said no (400), `failed` it was certainly not applied
 * (DNS, connect, TLS, 401, 403, 404, 429), `unknown` nobody can tell (timeout, reset, 5xx).
 */
export type CallOutcome = 'refused' | 'failed' | 'unknown'

/** A successful call. */
export interface Answer<Body = unknown> {
  readonly status: number
  readonly body: Body
  readonly durationMs: number
}

interface FailedCall {
  code: FailureCode
  retry: Retry
  outcome: CallOutcome
  connection: string
  message: string
  /** HTTP status; absent when there was no answer. */
  status?: number
  durationMs: number
  /** The far side's own words. They may hold personal data: shown to the caller of the flow, kept encrypted, never logged. */
  farText?: string
  /** `messageNumber` of DACS' error document. */
  farNumber?: number
  cause?: unknown
}

/** A call on a target that did not succeed. */
export class CallError extends TielineError {
  readonly outcome: CallOutcome
  readonly connection: string
  readonly status: number | undefined
  readonly durationMs: number
  readonly farNumber: number | undefined
  /** Not enumerable, so that no serializer of errors prints it. */
  declare readonly farText: string | undefined

  constructor(call: FailedCall) {
    super(call.code, call.retry, call.message, call.cause === undefined ? undefined : { cause: call.cause })
    this.name = 'CallError'
    this.outcome = call.outcome
    this.connection = call.connection
    this.status = call.status
    this.durationMs = call.durationMs
    this.farNumber = call.farNumber
    Object.defineProperty(this, 'farText', { value: call.farText, enumerable: false })
  }
}

/** The call that an error tells of: itself, or what it says to be its cause. */
export function callOf(error: TielineError): CallError | undefined {
  if (error instanceof CallError) return error
  return error.cause instanceof CallError ? error.cause : undefined
}
