import { Readable } from 'node:stream'
import type { requests } from 'oci-objectstorage'
import type { OciClient } from './oci-client.ts'
import { readInTime } from './storage-request.ts'

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
