import { Cluster, type CommonRedisOptions, Redis } from 'ioredis'
import type { Logger } from './logger.ts'
import { inOneWrite } from './one-write.ts'
import { parseRedisUrl, type RedisAddress } from './redis-url.ts'

/** A connection to one Redis, to one behind sentinels, or to a cluster. End it with `disconnect()`. */
export type RedisConnection = Redis | Cluster

export type RedisBehaviour = Pick<
  CommonRedisOptions,
  | 'connectionName'
  | 'enableOfflineQueue'
  | 'autoResubscribe'
  | 'maxRetriesPerRequest'
  | 'commandTimeout'
  | 'socketTimeout'
  | 'retryStrategy'
>

/** Opens a connection in any of the forms of `REDIS_URL`; it reconnects for ever and logs its outages. */
export function openRedis(url: string, logger: Logger, behaviour: RedisBehaviour): RedisConnection {
  const address = parseRedisUrl(url)
  const redis = address.mode === 'cluster' ? openCluster(address, behaviour) : openSingle(address, behaviour)
  logOutages(redis, address.shown, logger)
  inOneWrite(redis)
  return redis
}

/** The message alone: errors of ioredis carry the command with its arguments, a password or a payload among them. */
export function describeRedisError(error: Error & { lastNodeError?: Error }): string {
  const own = error.message || ('code' in error ? String(error.code) : error.name)
  return error.lastNodeError === undefined ? own : `${own} ${error.lastNodeError.message}`
}

/** 100 ms, 200 ms, … at most 1 s: longer pauses would add to every outage. */
const retryDelayMs = (times: number): number => Math.min(50 * 2 ** times, 1_000)

const connectTimeoutMs = 5_000

function openSingle(address: RedisAddress, behaviour: RedisBehaviour): Redis {
  const options = {
    ...credentials(address),
    db: address.db,
    connectTimeout: connectTimeoutMs,
    retryStrategy: retryDelayMs,
    ...behaviour,
  }
  if (address.socket !== undefined) return new Redis({ ...options, path: address.socket })
  if (address.mode === 'single') return new Redis({ ...options, ...address.hosts[0] })
  return new Redis({
    ...options,
    sentinels: [...address.hosts],
    name: address.masterName,
    sentinelUsername: address.sentinelUsername,
    sentinelPassword: address.sentinelPassword,
    sentinelRetryStrategy: retryDelayMs,
    // A master that hung does not know that it has a successor, and goes on confirming what will be thrown away.
    failoverDetector: true,
    ...(address.tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
  })
}

function openCluster(address: RedisAddress, { enableOfflineQueue, ...perNode }: RedisBehaviour): Cluster {
  return new Cluster([...address.hosts], {
    enableOfflineQueue,
    clusterRetryStrategy: retryDelayMs,
    // A redirection waits 100 ms: a connection that fails fast cannot afford the usual sixteen of them.
    ...(enableOfflineQueue === false && { maxRedirections: 5 }),
    // Certificates carry names, so the names must not be resolved to addresses before the handshake.
    ...(address.tls && { dnsLookup: (host, done) => done(null, host) }),
    redisOptions: { ...credentials(address), ...perNode, connectTimeout: connectTimeoutMs },
  })
}

const credentials = ({ username, password, tls }: RedisAddress) => ({ username, password, ...(tls && { tls: {} }) })

const reminderMs = 30_000

/** Says once that Redis is away, reminds every half minute, and says when it is back. */
function logOutages(redis: RedisConnection, shown: string, logger: Logger): void {
  let awaySinceMs: number | undefined
  let loggedAtMs = Number.NEGATIVE_INFINITY
  redis.on('error', (error: Error) => {
    const nowMs = performance.now()
    awaySinceMs ??= nowMs
    if (nowMs - loggedAtMs < reminderMs) return
    loggedAtMs = nowMs
    const awayMs = Math.round(nowMs - awaySinceMs)
    logger.warn({ redis: shown, awayMs }, `Redis at ${shown} is away: ${describeRedisError(error)}`)
  })
  redis.on('ready', () => {
    if (awaySinceMs === undefined) return
    const awayMs = Math.round(performance.now() - awaySinceMs)
    logger.info({ redis: shown, awayMs }, `Redis at ${shown} is back after ${awayMs} ms`)
    awaySinceMs = undefined
    loggedAtMs = Number.NEGATIVE_INFINITY
  })
}
