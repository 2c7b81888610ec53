import { Cluster, Redis } from 'ioredis'
import type { RedisConnection } from './redis-open.ts'

/**
 * What a process has to say to Redis in one turn of its event loop leaves in one write, so that Redis gets it in one read and keeps it
 * with one fsync. Commands that do not wait for each other cost one trip together.
 */
export function inOneWrite(redis: RedisConnection): void {
  if (redis instanceof Cluster) redis.on('+node', inOneWrite)
  if (redis instanceof Redis) redis.on('connect', () => corked(redis.stream))
}

function corked(stream: Redis['stream']): void {
  const { write } = stream
  let isCorked = false
  const uncork = () => {
    isCorked = false
    stream.uncork()
  }
  Object.assign(stream, {
    write(...written: unknown[]): boolean {
      if (!isCorked) {
        isCorked = true
        stream.cork()
        setImmediate(uncork)
      }
      return Reflect.apply(write, stream, written)
    },
  })
}
