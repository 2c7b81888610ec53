import type { models, ObjectStorageClient } from 'oci-objectstorage'
import { byName, type FileSource, nameCheck, type ReaderOptions, type Renamed, type SourceFile } from './file-source.ts'
import { createFileStream } from './file-stream.ts'
import type { OciClient } from './oci-client.ts'
import { getContent } from './oci-content.ts'
import { isMissingObject, OciFailure } from './oci-transport.ts'
import { failIfStopped, fileChanged, operate, requireFileName } from './source-failure.ts'

export interface OciSourceOptions extends ReaderOptions {
  /** Belongs to the source from now on. */
  readonly client: OciClient
  readonly bucket: string
  /** Default: that of the tenancy. */
  readonly namespace?: string | undefined
}

/** The objects of a bucket. Without `folders` a name with a slash is no file of this place: it is listed, but refused. */
export function createOciSource({ client, bucket, namespace, ...options }: OciSourceOptions): FileSource {
  const { connection } = client
  const check = nameCheck(options)
  const place = async () => ({ namespaceName: namespace ?? (await client.namespace()), bucketName: bucket })

  const readPage = async (page: { prefix: string; start?: string; limit: number }, signal?: AbortSignal) => {
    const where = await place()
    const query = {
      limit: page.limit,
      fields: 'name,size,etag,timeModified',
      // The SDK does not encode what it puts into a query.
      prefix: encodeURIComponent(page.prefix),
      ...(page.start !== undefined && { start: encodeURIComponent(page.start) }),
    }
    const ask = async (sdk: ObjectStorageClient) => {
      const { listObjects } = await sdk.listObjects({ ...where, ...query })
      return { files: listObjects.objects.map(toFile), next: listObjects.nextStartWith ?? undefined }
    }
    return client.call(ask, { signal })
  }
  /** A name comes before all others that begin with it: the first of them is the file, or there is none. */
  const look = async (name: string): Promise<SourceFile | undefined> => {
    const [first] = (await readPage({ prefix: name, limit: 1 })).files
    return first?.name === name ? first : undefined
  }

  return {
    connection,
    list: (prefix, signal) =>
      operate(connection, 'list', async () => {
        const files: SourceFile[] = []
        let start: string | undefined
        do {
          failIfStopped(signal)
          const page = await readPage({ prefix, limit: pageMax, ...(start !== undefined && { start }) }, signal)
          files.push(...page.files)
          start = page.next
        } while (start !== undefined)
        return files.sort(byName)
      }),
    find: (name) => operate(connection, 'find', async () => (check(name) === undefined ? look(name) : undefined)),
    open: (file, signal) =>
      operate(connection, 'open', async () => {
        failIfStopped(signal)
        requireFileName(file.name, check)
        const object = { ...(await place()), objectName: file.name, ifMatch: file.version }
        const { bytes, chunks, release } = await getContent(client, object, signal).catch(judgeOpen)
        if (bytes !== file.bytes) {
          release()
          throw fileChanged('found another size than was listed')
        }
        return createFileStream({ connection, bytes, chunks, release, signal })
      }),
    rename: (file, newName) =>
      operate(connection, 'rename', async (): Promise<Renamed> => {
        requireFileName(file.name)
        requireFileName(newName)
        const renameObjectDetails = {
          sourceName: file.name,
          newName,
          srcObjIfMatchETag: file.version,
          newObjIfNoneMatchETag: '*',
        }
        const where = await place()
        try {
          await client.call((sdk) => sdk.renameObject({ ...where, renameObjectDetails }))
          return 'renamed'
        } catch (error) {
          if (!isUnmet(error)) throw error
          if ((await look(file.name))?.version !== file.version) return 'changed'
          if ((await look(newName)) !== undefined) return 'exists'
          throw error
        }
      }),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** What one page can hold. */
const pageMax = 1_000

/** The SDK says `Date`, but hands out the text of the answer. @throws when the answer does not tell what it was asked for */
function toFile({ name, size, etag, timeModified }: models.ObjectSummary): SourceFile {
  if (size === undefined || etag === undefined || timeModified === undefined) throw new Error('Fields are missing')
  return { name, bytes: size, modifiedAt: new Date(timeModified).getTime(), version: etag }
}

function judgeOpen(error: unknown): never {
  if (error instanceof OciFailure && error.status === 412) throw fileChanged('found the file changed')
  if (isMissingObject(error)) throw fileChanged('found the file gone')
  throw error
}

/** A condition did not hold, there is no such object, or another request is changing it. */
const isUnmet = (error: unknown): boolean =>
  isMissingObject(error) || (error instanceof OciFailure && (error.status === 412 || error.status === 409))
