import { Readable } from 'node:stream'
import type { requests } from 'oci-objectstorage'
import { classifyBreak } from './classify.ts'
import type { OciClient } from './oci-client.ts'
import { lost } from './oci-transport.ts'
import { SourceFailure } from './source-failure.ts'

export interface OciContent {
  /** As announced. */
  readonly bytes: number | undefined
  /** @throws SourceFailure when the connection breaks, or nothing comes for too long */
  readonly chunks: AsyncIterable<Buffer>
  /** Gives the connection up, unless everything was read. */
  release(): void
}

/** The content of an object; resolves when it begins. @throws OciFailure */
export async function getContent(
  client: OciClient,
  object: requests.GetObjectRequest,
  signal?: AbortSignal,
): Promise<OciContent> {
  const answer = await client.call((sdk) => sdk.getObject(object), { content: true, signal })
  const stream = answer.value instanceof Readable ? answer.value : Readable.fromWeb(answer.value)
  // It may break before anybody reads it, or after nobody does any more.
  stream.on('error', () => undefined)
  return {
    bytes: answer.contentLength,
    chunks: readInTime(stream, client.timeoutMs),
    release: () => void stream.destroy(),
  }
}

/** The clock runs only while a chunk is waited for: how long the reader takes over one is its own affair. */
async function* readInTime(stream: Readable, timeoutMs: number): AsyncGenerator<Buffer, void> {
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

const tooSlow = () =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason: 'timeout', sent: true, errorCode: undefined }))
