import { backoff, TielineError } from '@tieline/runtime/error'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { PayloadStore } from './payload-store.ts'

/** Payloads as values in Redis: for small ones, which pass through memory whole. */
export function createRedisPayloadStore(redis: RedisConnection, base: string): PayloadStore {
  const keyOf = (reference: string) => `${base}:b:${reference}`
  return {
    async put(reference, bytes) {
      const chunks: Buffer[] = []
      for await (const chunk of bytes) chunks.push(chunk)
      await redis.set(keyOf(reference), Buffer.concat(chunks))
    },
    async get(reference) {
      const bytes = await redis.getBuffer(keyOf(reference))
      if (bytes === null) throw new TielineError('payload-unreadable', backoff, 'Redis does not have the payload')
      return once(bytes)
    },
    async remove(reference) {
      await redis.del(keyOf(reference))
    },
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
