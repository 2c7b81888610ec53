import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { SimulatorApp } from './far-side.ts'
import { faultOfS3Signature, type S3Credentials } from './s3-signature.ts'
import { type ListenOptions, type Started, serve } from './start.ts'

export interface S3StorageOptions {
  readonly bucket: string
  readonly region: string
  readonly credentials: S3Credentials
}

export interface S3Storage {
  readonly app: SimulatorApp
  /** Methods and targets, in order of arrival. */
  readonly received: readonly string[]
  put(key: string, content: Buffer): void
  remove(key: string): void
  /** Cuts the connection after so many bytes of the next object that is got. */
  cutAfter(bytes: number): void
  /** Objects that nobody may read. */
  forbid(key: string): void
}

/** What integrations read from a storage that speaks S3: its objects, by their keys. @throws Error when the port is taken */
export const startS3Storage = (options: S3StorageOptions & ListenOptions): Promise<Started<S3Storage>> =>
  serve(createS3Storage(options), options)

interface StoredObject {
  readonly content: Buffer
  readonly etag: string
  readonly modified: string
}

function createS3Storage({ bucket, region, credentials }: S3StorageOptions): S3Storage {
  const app: SimulatorApp = new Hono<{ Bindings: HttpBindings }>()
  const objects = new Map<string, StoredObject>()
  const forbidden = new Set<string>()
  const received: string[] = []
  let bytesUntilCut: number | undefined

  app.all('*', async ({ env: { incoming, outgoing } }) => {
    const { method = '', url: target = '', headers } = incoming
    received.push(`${method} ${target}`)
    const refuse = (status: number, code: string) =>
      new Response(method === 'HEAD' ? null : `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, { status })
    const fault = faultOfS3Signature({ method, target, headers }, credentials, { region, nowMs: Date.now() })
    if (fault !== undefined) return refuse(fault === 'AuthorizationHeaderMalformed' ? 400 : 403, fault)

    const { inBucket, key } = locate(target, headers.host ?? '')
    if (!inBucket) return refuse(404, 'NoSuchBucket')
    if (key === '') return new Response('<ListBucketResult/>', { headers: { 'content-type': 'application/xml' } })
    if (forbidden.has(key)) return refuse(403, 'AccessDenied')
    const object = objects.get(key)
    if (object === undefined) return refuse(404, 'NoSuchKey')
    const { content, etag, modified } = object
    const condition = headers['if-match']
    if (condition !== undefined && condition !== etag) return refuse(412, 'PreconditionFailed')
    const head = { etag, 'last-modified': modified, 'content-length': `${content.length}` }
    if (method === 'HEAD') return new Response(null, { headers: head })

    const cutAt = bytesUntilCut
    bytesUntilCut = undefined
    outgoing.writeHead(200, head)
    outgoing.write(content.subarray(0, cutAt))
    if (cutAt === undefined) outgoing.end()
    else {
      await delay(20)
      outgoing.destroy()
    }
    return RESPONSE_ALREADY_SENT
  })

  /** The bucket stands in the path, or before the host. */
  function locate(target: string, host: string): { inBucket: boolean; key: string } {
    const parts = (target.split('?')[0] ?? '').slice(1).split('/').map(decodeURIComponent)
    const before = host.startsWith(`${bucket}.`)
    const [first, ...rest] = parts
    return { inBucket: before || first === bucket, key: (before ? parts : rest).join('/') }
  }

  return {
    app,
    received,
    put(key, content) {
      const etag = `"${createHash('md5').update(content).digest('hex')}"`
      objects.set(key, { content, etag, modified: new Date().toUTCString() })
    },
    remove: (key) => void objects.delete(key),
    cutAfter(bytes) {
      bytesUntilCut = bytes
    },
    forbid: (key) => void forbidden.add(key),
  }
}
