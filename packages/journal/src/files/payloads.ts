import { createHash, randomUUID } from 'node:crypto'
import type { PayloadKey } from '../sealer.ts'
import type { PayloadStore } from './payload-store.ts'
import { openStream, sealStream } from './sealed-stream.ts'

/** Sealed payloads above this stay out of Redis. */
export const redisPayloadBytesMax = 4 * 1024 * 1024

/** A payload that is kept, but of which no record knows yet. */
export interface KeptPayload {
  readonly reference: string
  /** Of what was given, before it was sealed. */
  readonly bytes: number
  /** SHA-256, hex. */
  readonly sha256: string
}

/** Files and large JSON, sealed as they come: never whole in memory, small ones in Redis, larger ones in the payload store. */
export interface Payloads {
  /**
   * Durable when it resolves; nothing is left when it rejects, also when the chunks end in an error.
   * @param outside of Redis, however small: for what is kept long
   */
  keep(chunks: AsyncIterable<Uint8Array>, where?: 'outside'): Promise<KeptPayload>
  /** @throws TielineError `payload-unreadable`, also in the middle of reading */
  open(reference: string): AsyncIterable<Buffer>
  remove(reference: string): Promise<void>
}

interface Deps {
  readonly small: PayloadStore
  readonly large: PayloadStore
  readonly keys: readonly PayloadKey[]
  /** References that no record holds. Each is told before its payload is stored, and now and then while it is. */
  readonly pending: { add(reference: string): Promise<unknown>; remove(reference: string): Promise<unknown> }
  readonly clock: () => number
}

const tellAgainMs = 60_000

export function createPayloads({ small, large, keys, pending, clock }: Deps): Payloads {
  const storeOf = (reference: string) => (reference.startsWith(smallPrefix) ? small : large)
  const remove = async (reference: string) => {
    await storeOf(reference).remove(reference)
    await pending.remove(reference)
  }

  async function* stillComing(reference: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let toldAt = clock()
    for await (const chunk of bytes) {
      if (clock() - toldAt > tellAgainMs) {
        toldAt = clock()
        await pending.add(reference)
      }
      yield chunk
    }
  }

  return {
    async keep(chunks, where) {
      const id = randomUUID()
      const counted = countBytes(chunks)
      const sealed = sealStream(counted.bytes, keys[0], id)
      const { isSmall, bytes } = await holdUpTo(where === 'outside' ? 0 : redisPayloadBytesMax, sealed)
      const reference = `${isSmall ? smallPrefix : largePrefix}${id}`
      try {
        await pending.add(reference)
        await storeOf(reference).put(reference, stillComing(reference, bytes))
      } catch (error) {
        await bytes.return(undefined)
        // What cannot be removed now is removed by the sweeper.
        await remove(reference).catch(() => undefined)
        throw error
      }
      return { reference, ...counted.result() }
    },
    async *open(reference) {
      yield* openStream(await storeOf(reference).get(reference), keys, reference.slice(smallPrefix.length))
    },
    remove,
  }
}

const smallPrefix = 'r-'
const largePrefix = 's-'

function countBytes(chunks: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length
      hash.update(chunk)
      yield chunk
    }
  }
  return { bytes: counted(), result: () => ({ bytes, sha256: hash.digest('hex') }) }
}

/** Reads until the stream ends or is longer than `bytesMax`, and hands all of it on. */
async function holdUpTo(bytesMax: number, stream: AsyncGenerator<Buffer>) {
  const held: Buffer[] = []
  let heldBytes = 0
  let ended = false
  while (!ended && heldBytes <= bytesMax) {
    const next = await stream.next()
    ended = next.done === true
    if (next.done) break
    held.push(next.value)
    heldBytes += next.value.length
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* held.splice(0)
    yield* stream
  }
  return { isSmall: ended && heldBytes <= bytesMax, bytes: all() }
}
