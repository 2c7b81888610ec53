import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis, type RedisOptions } from 'ioredis'
import { inject } from 'vitest'
import { startLookupStore } from '../src/store.ts'

type ConnectionOptions = Pick<
  RedisOptions,
  'connectionName' | 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'retryStrategy' | 'commandTimeout'
>
type Options = Omit<Partial<Parameters<typeof startLookupStore>[0]>, 'redis' | 'logger'> & { redis?: ConnectionOptions }

/** An installation of its own on the shared Redis. Stores opened with it are closed with it. */
export function createInstallation() {
  const installation = `lookups-${randomUUID()}`
  const cleanup = new AsyncDisposableStack()
  const logged: { level: 'info' | 'warn'; text: string }[] = []
  const connect = (options: ConnectionOptions = {}) => {
    const redis = new Redis(inject('redisUrl'), { connectionName: installation, ...options })
    redis.on('error', () => {})
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
    /** The ids of this installation's subscribed connections. */
    async subscribers(redis: Redis): Promise<string[]> {
      const list = String(await redis.client('LIST', 'TYPE', 'PUBSUB')).split('\n')
      return list
        .filter((line) => line.includes(` name=${installation} `))
        .flatMap((line) => /^id=(\d+)/.exec(line)?.[1] ?? [])
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}
