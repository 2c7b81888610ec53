import { type RedisConnection, untilReady } from '@tieline/runtime/redis'
import { Cluster } from 'ioredis'

/** The keys that match a pattern, of all masters of a cluster. */
export async function keysMatching(redis: RedisConnection, pattern: string): Promise<string[]> {
  // A cluster has no masters until it has been asked for them.
  await untilReady(redis)
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis]
  const found = await Promise.all(nodes.map((node) => node.keys(pattern)))
  return found.flat()
}
