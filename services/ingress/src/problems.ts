import type { FailureCode } from '@tieline/contracts/failures'
import { flowSpec, type InboundFlowId } from '@tieline/contracts/flows'
import { oicFault } from '@tieline/contracts/oic-fault'
import { type FieldError, problem, problemMediaType } from '@tieline/contracts/problem'

/** An HTTP answer before it is written. Without a body it is empty. */
export interface HttpAnswer {
  readonly status: number
  readonly body?: unknown
  readonly mediaType?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface RefusalDetails {
  readonly errors?: readonly FieldError[]
  readonly headers?: Readonly<Record<string, string>>
  /** Whose credentials were right, when nobody else knows yet. */
  readonly client?: string
  /** What went wrong inside; for the log, never for the caller. */
  readonly cause?: unknown
}

/** A request that is answered with an error. `message` goes to the caller: paths and rules, never values. */
export class Refusal extends Error {
  readonly status: number
  readonly code: FailureCode
  readonly errors: readonly FieldError[] | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly client: string | undefined

  constructor(
    status: number,
    code: FailureCode,
    message: string,
    { errors, headers = {}, client, cause }: RefusalDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.errors = errors
    this.headers = headers
    this.client = client
  }
}

/** With every 503. Senders repeat at a pace of their own; this is for those that ask, in seconds. */
export const retryAfter = { 'retry-after': '5' }

/** The message is not known to be accepted, and the sender shall come again. */
export const comeAgain = (code: FailureCode, message: string, cause?: unknown): Refusal =>
  new Refusal(503, code, message, { headers: retryAfter, cause })

/** Any error as a refusal. The text of an unexpected one stays inside: it may quote anything. */
export const toRefusal = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal(500, 'internal', 'An error of the ingress itself', { cause: error })

/** How a refusal is told: DACS gets a fault of the form it has always got, everybody else a problem document. */
export function refusalAnswer(refusal: Refusal, flow: InboundFlowId | undefined, requestId: string): HttpAnswer {
  const { status, code, errors, headers, message: detail } = refusal
  if (flow !== undefined && flowSpec(flow).replyShape === 'externalId') {
    const fault = oicFault({ status, detail, instance: flow, errorCode: code, ...(errors && { errors }) })
    return { status, body: fault, headers }
  }
  const document = problem({ status, detail, code, ...(errors && { errors }) })
  return { status, body: { ...document, instance: requestId }, mediaType: problemMediaType, headers }
}
