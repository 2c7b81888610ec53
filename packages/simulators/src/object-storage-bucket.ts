import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Refusal } from './refusal.ts'

/** Content that arrived. It lies in a file, so that large objects take no memory. */
export interface Content {
  readonly path: string
  readonly bytes: number
  /** Base64. */
  readonly md5: string
}

export interface StoredObject extends Content {
  readonly name: string
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
}

export interface Upload {
  readonly id: string
  readonly name: string
  readonly parts: Map<number, Content & { readonly etag: string }>
}

/** Conditions of a write, as HTTP has them. */
export interface Conditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/** Objects and multipart uploads of one bucket. Changes take effect in one step, after their content has arrived. */
export function createBucket(directory: string, pageObjectsMax = 1_000) {
  const objects = new Map<string, StoredObject>()
  const uploads = new Map<string, Upload>()

  const demand = (name: string): StoredObject => {
    const object = objects.get(name)
    if (object === undefined) throw new Refusal(404, 'ObjectNotFound', 'There is no such object')
    return object
  }
  const check = (name: string, { ifMatch, ifNoneMatch }: Conditions) => {
    const etag = objects.get(name)?.etag
    if (ifMatch !== undefined && ifMatch !== etag) throw new Refusal(412, 'IfMatchFailed', 'The ETag is another one')
    if (ifNoneMatch !== undefined && etag !== undefined && ['*', etag].includes(ifNoneMatch)) {
      throw new Refusal(412, 'IfNoneMatchFailed', 'The object exists already')
    }
  }
  const set = (name: string, { path, bytes, md5 }: Content, conditions: Conditions): StoredObject => {
    check(name, conditions)
    const object = { name, path, bytes, md5, etag: randomUUID(), modifiedAt: Date.now() }
    objects.set(name, object)
    return object
  }
  const receive = (body: Readable): Promise<Content> => writeContent(join(directory, randomUUID()), [body])
  const demandUpload = (name: string, id: string | null): Upload => {
    const upload = uploads.get(id ?? '')
    if (upload?.name !== name) throw new Refusal(404, 'NoSuchUpload', 'There is no such upload')
    return upload
  }

  return {
    pageObjectsMax,
    objects: objects as ReadonlyMap<string, StoredObject>,
    uploads: uploads as ReadonlyMap<string, Upload>,
    demand,
    check,
    async put(name: string, body: Readable, conditions: Conditions = {}): Promise<StoredObject> {
      check(name, conditions)
      return set(name, await receive(body), conditions)
    },
    remove(name: string, conditions: Conditions = {}): void {
      demand(name)
      check(name, conditions)
      objects.delete(name)
    },
    rename(name: string, newName: string, from: Conditions, to: Conditions): StoredObject {
      const object = demand(name)
      check(name, from)
      const renamed = set(newName, object, to)
      objects.delete(name)
      return renamed
    },
    startUpload(name: string, conditions: Conditions): Upload {
      check(name, conditions)
      const upload: Upload = { id: randomUUID(), name, parts: new Map() }
      uploads.set(upload.id, upload)
      return upload
    },
    async putPart(name: string, id: string | null, number: number, body: Readable): Promise<string> {
      const upload = demandUpload(name, id)
      const part = { ...(await receive(body)), etag: randomUUID() }
      upload.parts.set(number, part)
      return part.etag
    },
    async commit(name: string, id: string | null, wanted: readonly WantedPart[], conditions: Conditions) {
      const upload = demandUpload(name, id)
      const parts = wanted.map(({ partNum, etag }) => {
        const part = upload.parts.get(partNum)
        if (part?.etag !== etag) throw new Refusal(400, 'InvalidUploadPart', 'There is no such part')
        return part
      })
      const content = await writeContent(
        join(directory, randomUUID()),
        parts.map(({ path }) => createReadStream(path)),
      )
      const object = set(name, content, conditions)
      uploads.delete(upload.id)
      await Promise.all(parts.map(({ path }) => rm(path)))
      return object
    },
    abort(name: string, id: string | null): void {
      uploads.delete(demandUpload(name, id).id)
    },
    clear(): void {
      objects.clear()
      uploads.clear()
    },
    read: (name: string): Promise<Buffer> => readFile(demand(name).path),
  }
}

export type Bucket = ReturnType<typeof createBucket>

interface WantedPart {
  readonly partNum: number
  readonly etag: string
}

/** @throws when a body breaks off */
async function writeContent(path: string, bodies: readonly Readable[]): Promise<Content> {
  const hash = createHash('md5')
  let bytes = 0
  async function* all() {
    for (const body of bodies) {
      for await (const chunk of body) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    }
  }
  try {
    await pipeline(all, createWriteStream(path))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return { path, bytes, md5: hash.digest('base64') }
}
