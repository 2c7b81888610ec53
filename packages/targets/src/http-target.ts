import { readFarWords } from '@tieline/contracts/far-words'
import type { MayCall } from '@tieline/runtime/call-target'
import { type Answer, after, CallError } from '@tieline/runtime/error'
import { noTracer, type Span, type Tracer } from '@tieline/runtime/telemetry'
import type { Histogram } from 'prom-client'
import type { Agents } from './agents.ts'
import { type Auth, createAuthorization } from './authorization.ts'
import { classify, classifyTokenFailure, type FailedResult, type Result, type Verdict } from './classify.ts'
import { brokenOff, type Content, createExchange } from './exchange.ts'
import { createPause, type Learned, type PauseOptions } from './pause.ts'
import { createSlots } from './slots.ts'
import { createTimeLimit, type TimeLimit } from './time-limit.ts'

export interface Call {
  /** Name of the operation, for messages and metrics. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'OPTIONS'
  readonly url: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in place of a body. Has `timeoutMs` for each piece, and `answerWithinMs` for the answer after the last. */
  readonly content?: Content | undefined
  /** HTTP statuses that are success for this operation; 200, 201 and 204 unless told. */
  readonly success?: ReadonlySet<number> | undefined
  readonly mayCall?: MayCall | undefined
}

export interface HttpTarget {
  readonly name: string
  /**
   * Makes one call: waits for a free slot, then has `timeoutMs` for everything, a token included; see also `Call.content`.
   * The body of the answer is undefined when it is not JSON.
   * @throws CallError for every way to fail, and what the content or `mayCall` threw: then the target has certainly not applied it
   */
  call(call: Call): Promise<Answer>
}

/** In seconds. Label `status`: the HTTP status, or the failure code when there was no answer. */
export type CallDurations = Pick<Histogram<'connection' | 'operation' | 'status'>, 'observe'>

export interface HttpTargetOptions extends PauseOptions {
  readonly name: string
  readonly agents: Agents
  readonly auth: Auth
  readonly timeoutMs: number
  /** Calls in flight at a time. */
  readonly concurrency: number
  /** Told when the key that signs for tokens cannot be read any more, and the former one stays in use. */
  readonly onStaleKey?: ((message: string) => void) | undefined
  readonly durations?: CallDurations | undefined
  /** The target gets the `traceparent` of its call. */
  readonly tracer?: Tracer | undefined
  /** Larger answers are not read. */
  readonly maxAnswerBytes?: number | undefined
  /** How long an answer to content may take; a target may have to read it all first. */
  readonly answerWithinMs?: number | undefined
}

/** The one caller of HTTP targets: every operation of DACS and DERMS goes through it. */
export function createHttpTarget(options: HttpTargetOptions): HttpTarget {
  const { name, agents, timeoutMs, durations, maxAnswerBytes = 1_048_576, answerWithinMs = 300_000 } = options
  const { tracer = noTracer } = options
  const exchange = createExchange({ agents, maxAnswerBytes })
  const authorization = createAuthorization(options.auth, { exchange, timeoutMs, tell: options.onStaleKey })
  const slots = createSlots(options.concurrency)
  const pause = createPause(options)

  const exchangeOnce = async (call: Call, body: string | undefined, { limit, span }: Underway) => {
    const { signal } = limit
    const credentials = await untilAborted(authorization.credentials(), signal)
    if (credentials === undefined) return { result: failed(classifyTokenFailure(brokenOff(signal, false))) }
    if ('failure' in credentials) return { result: failed(credentials.failure) }
    const headers = {
      ...(credentials.header !== undefined && { authorization: credentials.header }),
      ...(span.traceparent !== undefined && { traceparent: span.traceparent }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(call.content && {
        'content-type': 'application/octet-stream',
        'content-length': String(call.content.bytes),
      }),
    }
    const content = call.content && {
      ...call.content,
      onProgress: (sentBytes: number) =>
        limit.restart(sentBytes >= (call.content?.bytes ?? 0) ? Math.max(answerWithinMs, timeoutMs) : timeoutMs),
    }
    const request = { method: call.method, url: call.url, headers, body, content, mayCall: call.mayCall }
    const exchanged = await exchange(request, signal)
    return { result: classify(exchanged, call.success), header: credentials.header }
  }

  /** A 401 may only mean that our token was withdrawn early: one more try with a new one. */
  const exchangeWithRenewal = async (call: Call, body: string | undefined, underway: Underway): Promise<Result> => {
    const { result, header } = await exchangeOnce(call, body, underway)
    if (result.status !== 401 || !authorization.renew(header)) return result
    return (await exchangeOnce(call, body, underway)).result
  }

  const startSpan = ({ operation, method }: Call): Span =>
    tracer.start(operation, {
      kind: 'client',
      parent: tracer.current()?.traceparent,
      attributes: { 'tieline.connection': name, 'tieline.operation': operation, 'http.request.method': method },
    })

  return {
    name,
    async call(call) {
      const { operation } = call
      const body = call.body === undefined ? undefined : JSON.stringify(call.body)

      using _slot = await slots.take()
      const admission = pause.enter()
      if (admission.kind === 'paused') throw callError(name, operation, 0, failed(heldBack(admission.waitMs)))

      const startedAt = performance.now()
      const span = startSpan(call)
      let learned: Learned = 'nothing'
      try {
        using limit = createTimeLimit(timeoutMs)
        const result = await exchangeWithRenewal(call, body, { limit, span })
        learned = learnedFrom(result)
        const durationMs = Math.round(performance.now() - startedAt)
        const status = result.ok ? result.status : (result.status ?? result.verdict.code)
        durations?.observe({ connection: name, operation, status }, durationMs / 1_000)
        span.set({ 'http.response.status_code': result.status })
        if (!result.ok) span.fail(result.verdict.code)
        if (!result.ok) throw callError(name, operation, durationMs, result)
        return { status: result.status, body: result.body, durationMs }
      } finally {
        span.end()
        admission.leave(learned)
      }
    },
  }
}

/** A call that has begun. */
interface Underway {
  readonly limit: TimeLimit
  readonly span: Span
}

const failed = (verdict: Verdict): FailedResult => ({ ok: false, verdict })

const heldBack = (waitMs: number): Verdict => ({
  code: 'connection-paused',
  retry: after(waitMs),
  outcome: 'failed',
  message: 'was not called: the connection is paused after a 401 or 403',
})

/** Only an answer about the content proves that the target let us in. */
function learnedFrom(result: Result): Learned {
  if (result.ok) return 'accepted'
  switch (result.verdict.code) {
    case 'target-unauthorized':
    case 'target-forbidden':
      return 'refused'
    case 'target-refused':
    case 'target-answer-invalid':
      return 'accepted'
    default:
      return 'nothing'
  }
}

/** The error of the HTTP library is not kept as a cause: it carries headers, credentials included, and bodies. */
function callError(name: string, operation: string, durationMs: number, failed: FailedResult): CallError {
  const { verdict, status, body } = failed
  const words = verdict.words ?? readFarWords(body)
  return new CallError({
    ...verdict,
    message: `${name}: ${operation} ${verdict.message}`,
    connection: name,
    durationMs,
    ...(status !== undefined && { status }),
    ...(words !== undefined && { farText: words.text }),
    ...(words?.messageNumber !== undefined && { farNumber: words.messageNumber }),
  })
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined))
    work.then(resolve, reject)
  })
}
