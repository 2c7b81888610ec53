import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Bucket, Conditions, StoredObject } from './object-storage-bucket.ts'
import { listObjects, listUploads } from './object-storage-lists.ts'
import { demand, Refusal } from './refusal.ts'

export interface StorageRequest {
  readonly namespace: string
  /** @throws Refusal when there is no such bucket */
  bucket(): Bucket
  readonly object: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
  /** @throws Refusal when the body is not JSON, or not the one that was signed */
  json(): Promise<unknown>
}

export interface StorageAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Sent as the body, from `start` on. */
  readonly content?: { readonly path: string; readonly start: number; readonly bytes: number }
  /** Something changed here. */
  readonly applied?: boolean
}

export interface StorageOperation {
  readonly name: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly path: RegExp
  readonly handle: (request: StorageRequest) => StorageAnswer | Promise<StorageAnswer>
}

const bucketPath = '/n/(?<namespace>[^/]+)/b/(?<bucket>[^/]+)'
const objects = new RegExp(`^${bucketPath}/o/?$`)
const object = new RegExp(`^${bucketPath}/o/(?<object>.+)$`)
const uploads = new RegExp(`^${bucketPath}/u/?$`)
const upload = new RegExp(`^${bucketPath}/u/(?<object>.+)$`)

/** The operations of the Object Storage API, version 20160918, that integrations use. */
export const storageOperations: readonly StorageOperation[] = [
  {
    name: 'getNamespace',
    method: 'GET',
    path: /^\/n\/?$/,
    handle: ({ namespace }) => ({ status: 200, json: namespace }),
  },
  { name: 'listObjects', method: 'GET', path: objects, handle: ({ bucket, query }) => listObjects(bucket(), query) },
  { name: 'headObject', method: 'HEAD', path: object, handle: getObject },
  { name: 'getObject', method: 'GET', path: object, handle: getObject },
  {
    name: 'putObject',
    method: 'PUT',
    path: object,
    handle: async ({ bucket, object, body, headers }) =>
      changed(await bucket().put(object, body, conditionsOf(headers))),
  },
  {
    name: 'deleteObject',
    method: 'DELETE',
    path: object,
    handle({ bucket, object, headers }) {
      bucket().remove(object, conditionsOf(headers))
      return { status: 204, applied: true }
    },
  },
  {
    name: 'renameObject',
    method: 'POST',
    path: new RegExp(`^${bucketPath}/actions/renameObject$`),
    async handle({ bucket, json }) {
      const details = demand(renameDetails, await json())
      const from = { ifMatch: details.srcObjIfMatchETag }
      const to = { ifMatch: details.newObjIfMatchETag, ifNoneMatch: details.newObjIfNoneMatchETag }
      return changed(bucket().rename(details.sourceName, details.newName, from, to))
    },
  },
  {
    name: 'createMultipartUpload',
    method: 'POST',
    path: uploads,
    async handle({ namespace, bucket, json, headers }) {
      const { object } = demand(uploadDetails, await json())
      const { id } = bucket().startUpload(object, conditionsOf(headers))
      return {
        status: 200,
        json: { namespace, object, uploadId: id, timeCreated: new Date().toISOString() },
        applied: true,
      }
    },
  },
  {
    name: 'listMultipartUploads',
    method: 'GET',
    path: uploads,
    handle: ({ namespace, bucket, query }) => listUploads(namespace, bucket(), query),
  },
  {
    name: 'uploadPart',
    method: 'PUT',
    path: upload,
    async handle({ bucket, object, body, query }) {
      const number = Number(query.get('uploadPartNum'))
      if (!Number.isInteger(number) || number < 1 || number > 10_000)
        throw new Refusal(400, 'InvalidParameter', 'uploadPartNum must be a number from 1 to 10000')
      return {
        status: 200,
        headers: { etag: await bucket().putPart(object, query.get('uploadId'), number, body) },
        applied: true,
      }
    },
  },
  {
    name: 'commitMultipartUpload',
    method: 'POST',
    path: upload,
    async handle({ bucket, object, query, json, headers }) {
      const { partsToCommit } = demand(commitDetails, await json())
      return changed(await bucket().commit(object, query.get('uploadId'), partsToCommit, conditionsOf(headers)))
    },
  },
  {
    name: 'abortMultipartUpload',
    method: 'DELETE',
    path: upload,
    handle({ bucket, object, query }) {
      bucket().abort(object, query.get('uploadId'))
      return { status: 204, applied: true }
    },
  },
]

const renameDetails = z.strictObject({
  sourceName: z.string().min(1),
  newName: z.string().min(1),
  srcObjIfMatchETag: z.string().optional(),
  newObjIfMatchETag: z.string().optional(),
  newObjIfNoneMatchETag: z.string().optional(),
})
const uploadDetails = z.looseObject({ object: z.string().min(1) })
const commitDetails = z.looseObject({
  partsToCommit: z.array(z.strictObject({ partNum: z.int(), etag: z.string() })).min(1),
})

const conditionsOf = (headers: IncomingHttpHeaders): Conditions => ({
  ifMatch: headers['if-match'],
  ifNoneMatch: headers['if-none-match'],
})

const changed = (object: StoredObject): StorageAnswer => ({
  status: 200,
  headers: {
    etag: object.etag,
    'opc-content-md5': object.md5,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
  },
  applied: true,
})

function getObject({ bucket, object, headers }: StorageRequest): StorageAnswer {
  const { path, bytes, etag, md5, modifiedAt } = bucket().demand(object)
  bucket().check(object, { ifMatch: headers['if-match'] })
  const known = {
    etag,
    'content-type': 'application/octet-stream',
    'last-modified': new Date(modifiedAt).toUTCString(),
  }
  const [, from, to = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  if (from === undefined) {
    const all = { ...known, 'content-length': String(bytes), 'content-md5': md5 }
    return { status: 200, headers: all, content: { path, start: 0, bytes } }
  }
  const start = Number(from)
  const end = Math.min(to === '' ? bytes : Number(to) + 1, bytes)
  if (start >= end) throw new Refusal(416, 'InvalidRange', 'The object has no such bytes')
  const part = {
    ...known,
    'content-length': String(end - start),
    'content-range': `bytes ${start}-${end - 1}/${bytes}`,
  }
  return { status: 206, headers: part, content: { path, start, bytes: end - start } }
}
