import type { OciClient } from './oci-client.ts'
import { isMissingObject, OciFailure } from './oci-transport.ts'
import { SourceFailure } from './source-failure.ts'

export interface ObjectAddress {
  readonly namespaceName: string
  readonly bucketName: string
  readonly objectName: string
}

/** Few of these are in memory at a time: one goes out while the next one is gathered. */
const partBytes = 8 * 1024 * 1024

/**
 * Makes a new object; one that exists is not overwritten. What is larger than a part goes up in parts and appears at once in
 * the end. After a failure nothing is left, as far as the bucket can be reached.
 * @throws OciFailure, SourceFailure, or what the bytes threw
 */
export async function uploadObject(
  client: OciClient,
  object: ObjectAddress,
  bytes: AsyncIterable<Buffer>,
): Promise<void> {
  let upload: Upload | undefined
  try {
    for await (const { part, last } of inParts(bytes)) {
      if (last && upload === undefined) {
        await putWhole(client, object, part)
        return
      }
      upload ??= await startUpload(client, object)
      await upload.add(part)
    }
    await upload?.commit()
  } catch (error) {
    await upload?.idle()
    if (upload !== undefined || error instanceof SourceFailure) {
      await undo(client, object, error).catch(() => undefined)
    }
    throw error
  }
}

/** Takes an object away, and what unfinished uploads of it have left. Nothing there is no error. @throws OciFailure */
export async function removeObject(client: OciClient, object: ObjectAddress): Promise<void> {
  await client
    .call((sdk) => sdk.deleteObject(object))
    .catch((error: unknown) => {
      if (!isMissingObject(error)) throw error
    })
  await abortUploads(client, object)
}

interface Upload {
  /** Waits for the part before to arrive, not for this one. */
  add(part: Buffer): Promise<void>
  commit(): Promise<void>
  /** Waits until nothing is under way any more. */
  idle(): Promise<unknown>
}

async function startUpload(client: OciClient, object: ObjectAddress): Promise<Upload> {
  const createMultipartUploadDetails = { object: object.objectName }
  const { multipartUpload } = await client.call((sdk) =>
    sdk.createMultipartUpload({ ...object, createMultipartUploadDetails, ifNoneMatch: '*' }),
  )
  const { uploadId } = multipartUpload
  const partsToCommit: { partNum: number; etag: string }[] = []
  let sending = Promise.resolve()

  const send = async (partNum: number, part: Buffer) => {
    const { eTag } = await client.call((sdk) =>
      sdk.uploadPart({
        ...object,
        uploadId,
        uploadPartNum: partNum,
        uploadPartBody: part,
        contentLength: part.length,
      }),
    )
    partsToCommit.push({ partNum, etag: eTag })
  }
  return {
    async add(part) {
      await sending
      sending = send(partsToCommit.length + 1, part)
      // Whoever comes next is told.
      sending.catch(() => undefined)
    },
    async commit() {
      await sending
      const commitMultipartUploadDetails = { partsToCommit }
      await client.call((sdk) =>
        sdk.commitMultipartUpload({ ...object, uploadId, commitMultipartUploadDetails, ifNoneMatch: '*' }),
      )
    },
    idle: () => sending.catch(() => undefined),
  }
}

const putWhole = (client: OciClient, object: ObjectAddress, body: Buffer) =>
  client.call((sdk) => sdk.putObject({ ...object, putObjectBody: body, contentLength: body.length, ifNoneMatch: '*' }))

/** A crash here, or a bucket that is away, leaves an upload open: a rule of the bucket's life cycle can end those. */
async function undo(client: OciClient, object: ObjectAddress, error: unknown): Promise<void> {
  if (mayHaveArrived(error)) await removeObject(client, object)
  else await abortUploads(client, object)
}

/** Not after a 4xx: it may say that an object has that name already, which is not ours then. */
const mayHaveArrived = (error: unknown): boolean =>
  error instanceof SourceFailure &&
  error.verdict.outcome === 'unknown' &&
  !(error instanceof OciFailure && (error.status ?? 0) < 500)

/**
 * By name: the id of an upload is not known when the answer to its start was lost. Listing them takes the right to read the
 * bucket (BUCKET_READ) beside those to its objects.
 */
async function abortUploads(client: OciClient, { objectName, ...bucket }: ObjectAddress): Promise<void> {
  let page: string | undefined
  do {
    const some = await client.call((sdk) =>
      sdk.listMultipartUploads({ ...bucket, ...(page !== undefined && { page }) }),
    )
    for (const { object, uploadId } of some.items) {
      if (object !== objectName) continue
      await client.call((sdk) => sdk.abortMultipartUpload({ ...bucket, objectName, uploadId })).catch(orGone)
    }
    page = some.opcNextPage || undefined
  } while (page !== undefined)
}

function orGone(error: unknown): void {
  if (!(error instanceof OciFailure && error.status === 404)) throw error
}

/** Whole parts, then what is left; always at least one, which may be empty. */
async function* inParts(bytes: AsyncIterable<Buffer>): AsyncGenerator<{ part: Buffer; last: boolean }, void> {
  let chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    let rest = chunk
    while (size + rest.length > partBytes) {
      const wanted = partBytes - size
      yield { part: Buffer.concat([...chunks, rest.subarray(0, wanted)]), last: false }
      chunks = []
      size = 0
      rest = rest.subarray(wanted)
    }
    chunks.push(rest)
    size += rest.length
  }
  yield { part: Buffer.concat(chunks), last: true }
}
