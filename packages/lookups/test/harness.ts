import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createLogger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import { openRedis, type RedisBehaviour } from '@tieline/runtime/redis-open'
import { Cluster } from 'ioredis'
import { inject } from 'vitest'
import { startLookupStore } from '../src/store.ts'

type Options = Omit<Partial<Parameters<typeof startLookupStore>[0]>, 'redis' | 'logger'> & { redis?: RedisBehaviour }

/** An installation of its own on the shared Redis. Stores opened with it are closed with it. */
export function createInstallation() {
  const installation = `lookups-${randomUUID()}`
  const cleanup = new AsyncDisposableStack()
  const logged: { level: 'info' | 'warn'; text: string }[] = []
  const connect = (options: RedisBehaviour = {}) => {
    const redis = openRedis(inject('redisUrl'), silent, { connectionName: installation, ...options })
    cleanup.defer(() => redis.disconnect())
    return redis
  }
  const record = (level: 'info' | 'warn') => (first: unknown, text?: string) => {
    logged.push({ level, text: typeof first === 'string' ? first : (text ?? '') })
  }
  return {
    installation,
    logged,
    connect,
    /** A store with a connection of its own, as another process would have it. */
    async open({ redis, ...deps }: Options = {}) {
      const logger = { info: record('info'), warn: record('warn') }
      const connection = connect(redis)
      await once(connection, 'ready')
      const store = await startLookupStore({ installation, connections: undefined, logger, ...deps, redis: connection })
      return cleanup.use(store)
    },
    /** This installation's subscribed connections. */
    async subscribers(redis: RedisConnection): Promise<Subscriber[]> {
      const nodes = redis instanceof Cluster ? redis.nodes() : [redis]
      const lists = nodes.map(async (node) => {
        const lines = String(await node.client('LIST', 'TYPE', 'PUBSUB')).split('\n')
        // A cluster's subscriptions have a name of their own before it.
        const ids = lines.filter((line) => new RegExp(` name=(\\S+:)?${installation} `).test(line)).flatMap(idOf)
        return ids.map((id) => ({
          id: `${node.options.port} ${id}`,
          cut: async () => void (await node.client('KILL', 'ID', id)),
        }))
      })
      return (await Promise.all(lists)).flat()
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

interface Subscriber {
  readonly id: string
  cut(): Promise<void>
}

const idOf = (line: string): string[] => /^id=(\d+)/.exec(line)?.slice(1) ?? []

const silent = createLogger({ service: 'test', level: 'silent' })

/** Redis is a cluster, whose lost subscriptions are made anew at once, on another server. */
export const onCluster = () => inject('redisUrl').startsWith('redis-cluster')
