import { backoff, TielineError } from '@tieline/runtime/error'
import { createFileStream } from './file-stream.ts'
import type { OciClient } from './oci-client.ts'
import { getContent } from './oci-content.ts'
import { isMissingObject } from './oci-transport.ts'
import { removeObject, uploadObject } from './oci-upload.ts'
import { failed, operate, SourceFailure } from './source-failure.ts'

export interface OciPayloadStoreOptions {
  /** Belongs to the store from now on. */
  readonly client: OciClient
  readonly bucket: string
  /** Default: that of the tenancy. */
  readonly namespace?: string | undefined
  /** Begins the names of all objects, such as `payloads/`. */
  readonly prefix: string
}

/** Payloads as objects of a bucket, under references that are never used twice. */
export interface OciPayloadStore extends AsyncDisposable {
  /**
   * Takes the bytes as they come. Durable when it resolves. When it rejects, nothing is left behind as far as the bucket can be
   * reached; an error of the bytes is thrown as it is.
   * @throws CallError
   */
  put(reference: string, bytes: AsyncIterable<Buffer>): Promise<void>
  /**
   * All bytes, or an error in the end: never fewer.
   * @throws TielineError `payload-unreadable` when there is none, CallError for everything else
   */
  get(reference: string): Promise<AsyncIterable<Buffer>>
  /** Also what a `put` left behind whose process was killed. Nothing there is no error. @throws CallError */
  remove(reference: string): Promise<void>
}

export function createOciPayloadStore({ client, bucket, namespace, prefix }: OciPayloadStoreOptions): OciPayloadStore {
  const { connection } = client
  const addressOf = async (reference: string) => ({
    namespaceName: namespace ?? (await client.namespace()),
    bucketName: bucket,
    objectName: prefix + reference,
  })

  return {
    put: (reference, bytes) =>
      operate(connection, 'put', async () => uploadObject(client, await addressOf(reference), bytes)),
    get: (reference) =>
      operate(connection, 'get', async () => {
        const { bytes, chunks, release } = await getContent(client, await addressOf(reference)).catch(judgeGet)
        if (bytes !== undefined) return createFileStream({ connection, bytes, chunks, release })
        release()
        throw new SourceFailure(failed('target-answer-invalid', 'was not told how long the payload is'))
      }),
    remove: (reference) => operate(connection, 'remove', async () => removeObject(client, await addressOf(reference))),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

function judgeGet(error: unknown): never {
  if (!isMissingObject(error)) throw error
  throw new TielineError('payload-unreadable', backoff, 'The payload store does not have the payload')
}
