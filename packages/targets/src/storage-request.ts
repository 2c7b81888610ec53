import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Readable } from 'node:stream'
import type { Agents } from './agents.ts'
import { classifyBreak } from './classify.ts'
import { brokenOff, onceConnected, reasonOf } from './exchange.ts'
import { failed, SourceFailure } from './source-failure.ts'

/** A request of an object storage, signed. */
export interface StorageRequest {
  readonly method: string
  readonly uri: string
  readonly headers: Iterable<readonly [string, string]>
  readonly body?: unknown
}

/** Longest answer that is no content. A page of 1000 objects has less than 2 MiB. */
const answerBytesMax = 16 * 1024 * 1024

/** Resolves with the head of the answer. @throws SourceFailure */
export function sendRequest(
  { method, uri, headers, body }: StorageRequest,
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

/** All of an answer that is no content. @throws SourceFailure */
export async function readAnswer(answer: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
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

/**
 * The pieces of an object's content. The clock runs only while one is waited for: how long the reader takes over one is its own
 * affair.
 * @throws SourceFailure when the connection breaks, or nothing comes for too long
 */
export async function* readInTime(stream: Readable, timeoutMs: number): AsyncGenerator<Buffer, void> {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  for (;;) {
    const timer = setTimeout(() => stream.destroy(tooSlow()), timeoutMs)
    const next = await chunks
      .next()
      .catch((error: unknown) => {
        throw error instanceof SourceFailure ? error : lost(error)
      })
      .finally(() => clearTimeout(timer))
    if (next.done) return
    yield next.value
  }
}

/** The connection broke in the middle of an answer. */
const lost = (error: unknown): SourceFailure =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason: 'network', sent: true, errorCode: reasonOf(error) }))

const tooSlow = () =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason: 'timeout', sent: true, errorCode: undefined }))
