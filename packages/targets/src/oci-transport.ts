import { Readable } from 'node:stream'
import type { HttpRequest } from 'oci-common'
import type { Agents } from './agents.ts'
import { classify, type Verdict } from './classify.ts'
import type { SignRequest } from './oci-signer.ts'
import { SourceFailure } from './source-failure.ts'
import { readAnswer, sendRequest } from './storage-request.ts'
import { createTimeLimit } from './time-limit.ts'

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  /** The answer is content: it is handed out as it comes, and `getContent` reads it. */
  readonly content?: boolean
}

/** Signs and sends one request of the SDK. Answers only with success. @throws OciFailure, SourceFailure */
export type OciTransport = (request: HttpRequest, excludeBody: boolean, options?: SendOptions) => Promise<Response>

/** Object Storage answered with a status other than success. */
export class OciFailure extends SourceFailure {
  /** Such as `BucketNotFound`. */
  readonly serviceCode: string | undefined

  constructor(verdict: Verdict, status: number, serviceCode: string | undefined) {
    super(serviceCode === undefined ? verdict : { ...verdict, message: `${verdict.message} (${serviceCode})` }, status)
    this.name = 'OciFailure'
    this.serviceCode = serviceCode
  }
}

/** Not when the bucket is missing: then nobody knows about the object. */
export const isMissingObject = (error: unknown): boolean =>
  error instanceof OciFailure && error.serviceCode === 'ObjectNotFound'

export interface OciTransportOptions {
  readonly sign: SignRequest
  readonly agents: Agents
  readonly timeoutMs: number
}

/**
 * Takes the place of the SDK's own transport. That one knows no time limit and, with a proxy, waits for ever for the rest of
 * an answer that broke off.
 */
export function createOciTransport({ sign, agents, timeoutMs }: OciTransportOptions): OciTransport {
  return async (request, excludeBody, { signal, content = false } = {}) => {
    await sign(request, excludeBody)
    using limit = createTimeLimit(timeoutMs, signal)
    const answer = await sendRequest(request, agents, limit.signal)
    const { statusCode: status = 0, headers } = answer
    const judged = classify(
      { kind: 'answer', status, retryAfter: headers['retry-after'], body: undefined },
      successStatuses,
    )
    const head = {
      status,
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, `${value}`]),
    }
    if (judged.ok && content) return new Response(Readable.toWeb(answer), head)
    const body = await readAnswer(answer, limit.signal)
    if (judged.ok) return new Response(body.length === 0 ? null : body, head)
    throw new OciFailure(judged.verdict, status, readServiceCode(body))
  }
}

const successStatuses: ReadonlySet<number> = new Set([200, 204])

/** Only what looks like one of Oracle's codes: it becomes part of messages, where no text of a far side belongs. */
function readServiceCode(body: Buffer): string | undefined {
  try {
    const { code } = JSON.parse(body.toString())
    return typeof code === 'string' && /^[A-Za-z]{1,40}$/.test(code) ? code : undefined
  } catch {
    return undefined
  }
}
