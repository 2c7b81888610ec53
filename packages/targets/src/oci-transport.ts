import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import type { HttpRequest, RequestSigner } from 'oci-common'
import type { Agents } from './agents.ts'
import { classify, classifyBreak, type Verdict } from './classify.ts'
import { brokenOff, onceConnected, reasonOf } from './exchange.ts'
import { failed, SourceFailure } from './source-failure.ts'
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
  readonly signer: RequestSigner
  readonly agents: Agents
  readonly timeoutMs: number
}

/** Longest answer that is no content. A page of 1000 objects has less than 2 MiB. */
const answerBytesMax = 16 * 1024 * 1024

/**
 * Takes the place of the SDK's own transport. That one knows no time limit and, with a proxy, waits for ever for the rest of
 * an answer that broke off.
 */
export function createOciTransport({ signer, agents, timeoutMs }: OciTransportOptions): OciTransport {
  return async (request, excludeBody, { signal, content = false } = {}) => {
    await signer.signHttpRequest(request, excludeBody)
    using limit = createTimeLimit(timeoutMs, signal)
    const answer = await exchange(request, agents, limit.signal)
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

function exchange(
  { method, uri, headers, body }: HttpRequest,
  agents: Agents,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const secure = uri.startsWith('https:')
  return new Promise((resolve, reject) => {
    let sent = false
    const request = (secure ? requestHttps : requestHttp)(uri, {
      method,
      headers: Object.fromEntries(headers),
      agent: secure ? agents.https : agents.http,
      signal,
    })
    onceConnected(request, () => {
      sent = true
    })
    request.once('response', resolve)
    // Not once: while a body is sent on, the error may come after an early answer.
    request.on('error', (error) => {
      const network = { kind: 'broken', reason: 'network', sent, errorCode: reasonOf(error) } as const
      reject(new SourceFailure(classifyBreak(signal.aborted ? brokenOff(signal, sent) : network)))
    })
    request.end(body)
  })
}

async function readAnswer(answer: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of answer) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > answerBytesMax) throw new SourceFailure(failed('target-answer-invalid', 'was answered with too much'))
    }
  } catch (error) {
    if (error instanceof SourceFailure) throw error
    throw signal.aborted ? new SourceFailure(classifyBreak(brokenOff(signal, true))) : lost(error)
  }
  return Buffer.concat(chunks)
}

/** The connection broke in the middle of an answer. */
export const lost = (error: unknown): SourceFailure =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason: 'network', sent: true, errorCode: reasonOf(error) }))

/** Only what looks like one of Oracle's codes: it becomes part of messages, where no text of a far side belongs. */
function readServiceCode(body: Buffer): string | undefined {
  try {
    const { code } = JSON.parse(body.toString())
    return typeof code === 'string' && /^[A-Za-z]{1,40}$/.test(code) ? code : undefined
  } catch {
    return undefined
  }
}
