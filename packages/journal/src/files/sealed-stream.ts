import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { never, TielineError } from '@tieline/runtime/error'
import type { PayloadKey } from '../sealer.ts'
import { inFrames } from './frames.ts'

const frameBytes = 64 * 1024
const tagBytes = 16
const saltBytes = 16
const headerBytesMax = 128

/**
 * Seals a stream of any length in frames, each of which is authenticated with its place and with whether it is the last: frames
 * cannot be swapped, left out or cut off. Each stream has a key of its own, derived from `key`, so that frames can simply be
 * numbered. Without a key the stream is kept in clear.
 * @param context what the stream belongs to; it opens with the same one only
 */
export async function* sealStream(
  plain: AsyncIterable<Uint8Array>,
  key: PayloadKey | undefined,
  context: string,
): AsyncGenerator<Buffer> {
  if (key === undefined) {
    yield Buffer.from('0\n')
    for await (const chunk of plain) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    return
  }
  const salt = randomBytes(saltBytes)
  yield Buffer.from(`1.${key.id}.${salt.toString('base64url')}\n`)
  const streamKey = derive(key, salt, context)
  let number = 0
  for await (const { bytes, last } of inFrames(plain, frameBytes)) {
    const cipher = createCipheriv('aes-256-gcm', streamKey, nonceOf(number++, last))
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }
}

/** Opens what `sealStream` sealed. Throws TielineError `payload-unreadable` when it is damaged, cut off, or has an unknown key. */
export async function* openStream(
  sealed: AsyncIterable<Uint8Array>,
  keys: readonly PayloadKey[],
  context: string,
): AsyncGenerator<Buffer> {
  const chunks = sealed[Symbol.asyncIterator]()
  try {
    const { header, rest } = await readHeader(chunks)
    const body = continued(rest, chunks)
    if (header === '0') {
      yield* body
      return
    }
    const [version, id, salt = ''] = header.split('.')
    const key = keys.find((known) => known.id === id)
    if (version !== '1' || key === undefined) throw unreadable(`no key "${id ?? ''}" in TIELINE_PAYLOAD_KEYS`)
    const streamKey = derive(key, Buffer.from(salt, 'base64url'), context)
    let number = 0
    for await (const { bytes, last } of inFrames(body, frameBytes + tagBytes)) {
      yield openFrame(bytes, streamKey, nonceOf(number++, last))
    }
  } finally {
    await chunks.return?.()
  }
}

const derive = ({ key }: PayloadKey, salt: Buffer, context: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, `tieline stream ${context}`, 32))

/** Its number, and one byte for the last frame. */
function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce.writeUInt8(last ? 1 : 0, 11)
  return nonce
}

function openFrame(bytes: Buffer, streamKey: Buffer, nonce: Buffer): Buffer {
  if (bytes.length < tagBytes) throw unreadable('it was cut off')
  const end = bytes.length - tagBytes
  try {
    const decipher = createDecipheriv('aes-256-gcm', streamKey, nonce).setAuthTag(bytes.subarray(end))
    return Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()])
  } catch (cause) {
    throw unreadable('it was damaged, cut off, or sealed with another key of the same id', cause)
  }
}

async function readHeader(chunks: AsyncIterator<Uint8Array>): Promise<{ header: string; rest: Buffer }> {
  let read = Buffer.alloc(0)
  for (;;) {
    const end = read.indexOf('\n')
    if (end !== -1) return { header: read.toString('latin1', 0, end), rest: read.subarray(end + 1) }
    const next = read.length > headerBytesMax ? undefined : await chunks.next()
    if (next === undefined || next.done) throw unreadable('it is not a sealed stream')
    read = Buffer.concat([read, next.value])
  }
}

async function* continued(first: Buffer, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first
  for (;;) {
    const next = await chunks.next()
    if (next.done) return
    yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
  }
}

const unreadable = (why: string, cause?: unknown) =>
  new TielineError('payload-unreadable', never, `A stored payload cannot be read: ${why}`, { cause })
