import type { Bucket, StoredObject } from './object-storage-bucket.ts'
import type { StorageAnswer } from './object-storage-operations.ts'
import { Refusal } from './refusal.ts'

/** Longest page of uploads, and of objects unless a bucket has shorter ones. */
const pageMax = 1_000

/** What a list can tell of an object. */
const fields: Readonly<Record<string, (object: StoredObject) => unknown>> = {
  name: ({ name }) => name,
  size: ({ bytes }) => bytes,
  etag: ({ etag }) => etag,
  md5: ({ md5 }) => md5,
  timeCreated: ({ modifiedAt }) => new Date(modifiedAt).toISOString(),
  timeModified: ({ modifiedAt }) => new Date(modifiedAt).toISOString(),
  storageTier: () => 'Standard',
  archivalState: () => undefined,
}

/** One page of objects in the order of their UTF-8 bytes; only their names unless `fields` asks for more. */
export function listObjects(bucket: Bucket, query: URLSearchParams): StorageAnswer {
  if (query.has('delimiter')) throw invalid('The simulator folds nothing: delimiter')
  const wanted = new Set(['name', ...(query.get('fields') ?? 'name').split(',')])
  for (const field of wanted) if (!(field in fields)) throw invalid(`There is no field ${field}`)

  const prefix = query.get('prefix') ?? ''
  const start = query.get('start')
  const startAfter = query.get('startAfter')
  const end = query.get('end')
  const objects = [...bucket.objects.values()]
    .filter(({ name }) => name.startsWith(prefix))
    .filter(({ name }) => start === null || compare(name, start) >= 0)
    .filter(({ name }) => startAfter === null || compare(name, startAfter) > 0)
    .filter(({ name }) => end === null || compare(name, end) < 0)
    .sort((a, b) => compare(a.name, b.name))

  const limit = Math.min(readLimit(query), bucket.pageObjectsMax)
  const page = objects
    .slice(0, limit)
    .map((object) => Object.fromEntries([...wanted].map((field) => [field, fields[field]?.(object)])))
  return { status: 200, json: { objects: page, prefixes: [], nextStartWith: objects[limit]?.name } }
}

/** One page of open multipart uploads. */
export function listUploads(namespace: string, bucket: Bucket, query: URLSearchParams): StorageAnswer {
  const uploads = [...bucket.uploads.values()].map(({ id, name }) => ({ namespace, object: name, uploadId: id }))
  const first = Number(query.get('page') ?? 0)
  const next = first + readLimit(query)
  return {
    status: 200,
    json: uploads.slice(first, next),
    ...(next < uploads.length && { headers: { 'opc-next-page': String(next) } }),
  }
}

function readLimit(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? pageMax)
  if (!Number.isInteger(limit) || limit < 1) throw invalid('limit must be a number above 0')
  return Math.min(limit, pageMax)
}

const invalid = (why: string) => new Refusal(400, 'InvalidParameter', why)

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
