import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { HttpBindings } from '@hono/node-server'
import { type StorageAnswer, type StorageOperation, storageOperations } from './object-storage-operations.ts'
import { isSignedBody, type SignedRequest } from './object-storage-signature.ts'
import { Refusal } from './refusal.ts'

/** Where a request leads. */
export interface Place {
  readonly operation: StorageOperation | undefined
  readonly names: Readonly<Partial<Record<'namespace' | 'bucket' | 'object', string>>>
  readonly query: URLSearchParams
}

/** By the raw path, because a name may hold a slash that was encoded. */
export function locate(method: string, target: string): Place {
  const [path = '', ...queries] = target.split('?')
  const query = new URLSearchParams(queries.join('?'))
  for (const operation of storageOperations) {
    const match = operation.method === method ? operation.path.exec(path) : null
    if (match === null) continue
    const names = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])
    return { operation, names: Object.fromEntries(names), query }
  }
  return { operation: undefined, names: {}, query }
}

/** @throws Refusal when the body is not JSON, or not the one that was signed */
export async function readJson(request: SignedRequest, body: Readable): Promise<unknown> {
  const bytes = await buffer(body)
  if (!isSignedBody(request, bytes))
    throw new Refusal(401, 'NotAuthenticated', 'The body is not the one that was signed')
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new Refusal(400, 'InvalidParameter', 'The body is not JSON')
  }
}

/** @param cutAt where to stop in the middle of the content, without an end */
export async function send(
  outgoing: HttpBindings['outgoing'],
  answer: StorageAnswer,
  cutAt: number | undefined,
): Promise<void> {
  const { status, headers, json, content } = answer
  const text = json === undefined ? '' : JSON.stringify(json)
  outgoing.writeHead(status, {
    'opc-request-id': randomUUID(),
    ...(json !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...headers,
  })
  if (content === undefined || content.bytes === 0) {
    outgoing.end(text)
    return
  }
  const { path, start, bytes } = content
  const end = start + Math.min(bytes, cutAt ?? bytes) - 1
  await pipeline(createReadStream(path, { start, end }), outgoing, { end: cutAt === undefined })
}
