import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Journal } from '@tieline/journal/journal'
import { queuePrefix } from '@tieline/journal/queues'
import { type ReplyDesk, startReplyDesk } from '@tieline/journal/replies'
import type { LookupStore } from '@tieline/lookups/store'
import type { Logger } from '@tieline/runtime/logger'
import type { Readiness } from '@tieline/runtime/operations-listener'
import {
  checkRedis,
  connectProducer,
  connectSubscriber,
  type RedisConnection,
  untilReady,
} from '@tieline/runtime/redis'
import type { Tracer } from '@tieline/runtime/telemetry'
import { openJournal } from '@tieline/worker-service/open-journal'
import { openLookups } from '@tieline/worker-service/open-lookups'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { requireRedisUrl } from '@tieline/worker-service/read-settings'
import { type MemoryWatch, startMemoryWatch } from './back-pressure.ts'
import { comeAgain } from './problems.ts'
import { workersMayCome } from './wait-for-end.ts'

export interface StoreTuning {
  readonly memoryPollMs?: number
  /** How long the start waits for Redis before it goes on without. */
  readonly startWithinMs?: number
  /** How long workers may take to show themselves once Redis is there; default 60 s. */
  readonly workersComeWithinMs?: number
}

interface StoreOptions extends StoreTuning {
  readonly tracer: Tracer
}

/** Where messages go, as far as it can be used at the moment. */
export interface Store extends AsyncDisposable {
  /** @throws Refusal 503 when nothing can be accepted: no Redis yet, Redis nearly full, or the ingress stops */
  take(): OpenStore
  /** Whether `take` would give anything now. */
  accepting(): boolean
  /** What there is for those who only look. */
  opened(): OpenStore | undefined
  /** Whether Redis takes writes. */
  ready(): Promise<Readiness>
  /** Takes nothing more, and lets every waiting caller go. */
  stop(): Promise<void>
  /** The ingress stops: nobody may begin to wait. */
  stopping(): boolean
  /**
   * Whether workers of a flow may still be on their way: Redis came a moment ago, with the ingress or after an outage, and
   * none has given a sign since.
   * @param workerSeenAt the last sign of one, in milliseconds since 1970
   */
  workersMayCome(workerSeenAt: number): boolean
}

export interface OpenStore {
  readonly journal: Journal
  readonly desk: ReplyDesk
  readonly lookups: Pick<LookupStore, 'snapshot'>
}

interface Opened extends OpenStore, AsyncDisposable {
  readonly memory: MemoryWatch
  readonly warnings: readonly string[]
}

/** How soon to look again at a Redis that has the wrong settings. */
const lookAgainMs = 2_000

/** How long the start waits for a Redis that is there until it can be used: who comes before would be refused. */
const openWithinMs = 15_000

/**
 * Opens the journal as soon as Redis is there. An outage at the start is waited for in the background, so that callers are
 * refused in good order meanwhile.
 * @throws Error when Redis is there and its settings would lose accepted messages
 */
export async function startStore(settings: ServiceSettings, logger: Logger, options: StoreOptions): Promise<Store> {
  const { startWithinMs = 1_000, workersComeWithinMs = 60_000 } = options
  const redis = await connectProducer(requireRedisUrl(settings), logger, { readyWithinMs: 0 })
  let readySinceMs = Date.now()
  redis.on('ready', () => {
    readySinceMs = Date.now()
  })
  const closing = new AbortController()
  let opened: Opened | undefined
  let started = false
  let stopping = false

  const openWhenReady = async () => {
    const closed = once(closing.signal, 'abort')
    while (opened === undefined) {
      await Promise.race([untilReady(redis), closed])
      closing.signal.throwIfAborted()
      try {
        opened = await open(settings, redis, logger, options)
      } catch (error) {
        if (redis.status !== 'ready') continue
        // Redis answers, so it is a fault of its settings.
        if (!started) throw error
        logger.error({ err: error }, 'Redis cannot be used; will look again')
        await delay(lookAgainMs, undefined, { signal: closing.signal })
      }
    }
  }
  const close = async () => {
    closing.abort()
    await opening.catch(() => undefined)
    await opened?.[Symbol.asyncDispose]()
    redis.disconnect()
  }

  const opening = openWhenReady()
  try {
    await Promise.race([opening, delay(startWithinMs, undefined, { ref: false })])
    if (redis.status === 'ready') await Promise.race([opening, delay(openWithinMs, undefined, { ref: false })])
  } catch (error) {
    await close()
    throw error
  }
  started = true

  const away = 'The message store is away'
  const obstacle = () => {
    if (stopping) return 'The ingress is stopping'
    if (opened === undefined || redis.status !== 'ready') return away
    return opened.memory.full() ? 'The message store is full' : undefined
  }

  return {
    take() {
      const reason = obstacle()
      if (opened === undefined || reason !== undefined) throw comeAgain('store-unavailable', reason ?? away)
      return opened
    },
    accepting: () => obstacle() === undefined,
    opened: () => opened,
    stopping: () => stopping,
    workersMayCome: (workerSeenAt) =>
      workersMayCome({ workerSeenAt, readySinceMs, nowMs: Date.now(), withinMs: workersComeWithinMs }),
    async ready() {
      if (stopping) return { ready: false, reason: 'stopping' }
      if (opened === undefined) return { ready: false, reason: 'Redis is away, or its settings forbid to use it' }
      const { memory, warnings, journal } = opened
      if (memory.full()) return { ready: false, reason: 'Redis is nearly full', warnings }
      try {
        await redis.set(`${queuePrefix(journal.installation)}:ingress:ready`, Date.now(), 'PX', 60_000)
        return { ready: true, warnings }
      } catch {
        return { ready: false, reason: 'Redis does not take writes', warnings }
      }
    },
    async stop() {
      stopping = true
      await opened?.desk[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]: close,
  }
}

async function open(
  settings: ServiceSettings,
  redis: RedisConnection,
  logger: Logger,
  { memoryPollMs, tracer }: StoreOptions,
): Promise<Opened> {
  await using parts = new AsyncDisposableStack()
  const { allowVolatileRedis } = settings.environment
  const { warnings } = parts.use(await checkRedis(redis, { allowVolatile: allowVolatileRedis, logger }))
  const journal = parts.use(await openJournal(settings, redis, logger, { tracer }))
  // A queue whose first look at Redis fails would never work again.
  await Promise.all(journal.queues.all.map((queue) => queue.waitUntilReady()))
  const subscriber = connectSubscriber(requireRedisUrl(settings), logger)
  parts.defer(() => subscriber.disconnect())
  const lookups = parts.use(await openLookups(settings, redis, logger))
  const desk = parts.use(await startReplyDesk(journal, subscriber))
  const memory = parts.use(await startMemoryWatch(redis, { everyMs: memoryPollMs, logger }))
  const opened = parts.move()
  return { journal, desk, lookups, memory, warnings, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
