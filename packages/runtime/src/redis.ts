import { Cluster } from 'ioredis'
import { ConfigurationError } from './configuration-error.ts'
import type { Logger } from './logger.ts'
import { describeRedisError, openRedis, type RedisConnection } from './redis-open.ts'

export type { RedisConnection } from './redis-open.ts'

export interface ProducerOptions {
  /**
   * How long to wait for Redis before giving up; default 10 s.
   * Infinity: wait until it comes, the outage is logged. 0: return at once, not ready (see `untilReady`).
   */
  readonly readyWithinMs?: number
  /** A command without a reply fails after this long; default 800 ms, so that a caller hears of it within a second. */
  readonly commandTimeoutMs?: number
}

/**
 * Connects for those who must not wait: while Redis is away every command fails at once, and the connection is back
 * within about a second of Redis. A failed command may have been applied all the same.
 * Rejects when Redis is not ready within `readyWithinMs`. Give the connection to BullMQ only once it is ready.
 */
export async function connectProducer(
  url: string,
  logger: Logger,
  { readyWithinMs = 10_000, commandTimeoutMs = 800 }: ProducerOptions = {},
): Promise<RedisConnection> {
  const redis = openRedis(url, logger, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    // Ends a connection whose far end is gone without a word, which no command timeout does.
    socketTimeout: 5_000,
  })
  if (readyWithinMs === 0) return redis
  try {
    await untilReady(redis, readyWithinMs)
  } catch (error) {
    redis.disconnect()
    throw error
  }
  return redis
}

/** Connects for those who can wait: commands are held until Redis is there, however long that takes. */
export function connectWorker(url: string, logger: Logger): RedisConnection {
  return openRedis(url, logger, patient)
}

/**
 * Connects for those who hear news, and waits for Redis like a worker. Whoever uses it subscribes whenever it is `ready`: the
 * library does so by itself in a place where nobody can catch that the connection broke once more.
 */
export function connectSubscriber(url: string, logger: Logger): RedisConnection {
  return openRedis(url, logger, { ...patient, autoResubscribe: false })
}

const patient = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  // Above the 10 s for which BullMQ blocks at most, so that it only ends connections whose far end is gone.
  socketTimeout: 20_000,
} as const

/** Resolves when Redis takes commands; rejects after `withinMs`, or when the connection is ended before. */
export async function untilReady(redis: RedisConnection, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
  if (redis.status === 'ready') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let reason = 'no answer'
  const onError = (error: Error) => {
    reason = describeRedisError(error)
  }
  const onEnd = () => reject(new Error('The connection to Redis was ended before it was ready.'))
  const onTimeout = () => reject(new Error(`Redis was not ready within ${withinMs} ms: ${reason}`))
  redis.on('error', onError).once('ready', resolve).once('end', onEnd)
  const timer = Number.isFinite(withinMs) ? setTimeout(onTimeout, withinMs) : undefined
  try {
    await promise
  } finally {
    clearTimeout(timer)
    redis.off('error', onError).off('ready', resolve).off('end', onEnd)
  }
}

export interface RedisCheck extends Disposable {
  /** What health should show: settings that may cost messages, but do not forbid a start. */
  readonly warnings: readonly string[]
}

/**
 * Waits for Redis, then reads whether it keeps what it confirms. Throws one ConfigurationError naming every setting that loses
 * accepted messages (an evicting policy, no append-only file). With `allowVolatile` these are warned of instead, now
 * and every `reminderMs` until disposed. A weaker or unreadable `appendfsync` is a warning only: managed services often
 * forbid CONFIG.
 */
export async function checkRedis(
  redis: RedisConnection,
  { allowVolatile, logger, reminderMs = 60_000 }: { allowVolatile: boolean; logger: Logger; reminderMs?: number },
): Promise<RedisCheck> {
  await untilReady(redis)
  const faults = new Set<string>()
  const warnings = new Set<string>()
  for (const node of nodesOf(redis)) {
    const info = parseInfo(await node.info('memory'), await node.info('persistence'))
    const policy = info.get('maxmemory_policy') ?? 'unknown'
    if (policy !== 'noeviction') faults.add(`maxmemory-policy is ${policy} and must be noeviction`)
    if (info.get('aof_enabled') !== '1') faults.add('the append-only file is off (set appendonly yes)')
    else for (const weakness of await fsyncWeakness(node)) warnings.add(weakness)
  }
  if (faults.size === 0) return { warnings: [...warnings], [Symbol.dispose]: () => undefined }

  const loss = `Redis can lose accepted messages: ${[...faults].join('; ')}.`
  if (!allowVolatile) throw new ConfigurationError(`${loss} TIELINE_ALLOW_VOLATILE_REDIS=1 starts all the same.`, [])
  const remind = () => logger.warn(loss)
  remind()
  const timer = setInterval(remind, reminderMs).unref()
  return { warnings: [...faults, ...warnings], [Symbol.dispose]: () => clearInterval(timer) }
}

/** Memory in use and its limit, in bytes; `maxBytes` 0: no limit is set. Of a cluster, the fullest master. */
export async function memoryUse(redis: RedisConnection): Promise<{ usedBytes: number; maxBytes: number }> {
  const uses = await Promise.all(
    nodesOf(redis).map(async (node) => {
      const info = parseInfo(await node.info('memory'))
      return { usedBytes: Number(info.get('used_memory')), maxBytes: Number(info.get('maxmemory')) }
    }),
  )
  const share = (use: { usedBytes: number; maxBytes: number }) =>
    use.maxBytes === 0 ? 0 : use.usedBytes / use.maxBytes
  const fullest = uses.toSorted((a, b) => share(b) - share(a))[0]
  if (fullest === undefined) throw new Error('The Redis cluster has no master at the moment.')
  return fullest
}

const nodesOf = (redis: RedisConnection) => (redis instanceof Cluster ? redis.nodes('master') : [redis])

/** `name:value` lines of INFO. */
const parseInfo = (...sections: string[]): Map<string, string> =>
  new Map(
    sections
      .join('\r\n')
      .split('\r\n')
      .flatMap((line) => {
        const colon = line.indexOf(':')
        return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const]
      }),
  )

async function fsyncWeakness(node: ReturnType<typeof nodesOf>[number]): Promise<string[]> {
  try {
    const [, appendfsync = 'unknown'] = (await node.config('GET', 'appendfsync')) as string[]
    if (appendfsync === 'always') return []
    return [
      `appendfsync is ${appendfsync}: a power failure can cost the last second of accepted messages (set it to always)`,
    ]
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error
    return ['appendfsync cannot be read (CONFIG is not allowed): make sure that it is always']
  }
}
