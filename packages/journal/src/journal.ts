import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import { noTracer, type Tracer } from '@tieline/runtime/telemetry'
import type { PayloadStore } from './files/payload-store.ts'
import { createPayloads, type Payloads } from './files/payloads.ts'
import { createRedisPayloadStore } from './files/redis-payload-store.ts'
import { createScriptRunner, type RunScript } from './kernel/scripts.ts'
import { createQueues, type Queues, queuePrefix } from './queues.ts'
import { createSealer, type PayloadKey, type Sealer } from './sealer.ts'

/** How long things are kept; the names are those of the installation file. */
export interface Retention {
  readonly messagesDays: number
  readonly payloadHours: number
  readonly replayHours: number
  readonly auditDays: number
}

export interface JournalOptions {
  readonly redis: RedisConnection
  /** Name of the installation: the hash tag of every key. */
  readonly installation: string
  readonly payloadKeys: readonly PayloadKey[]
  /** Where payloads go that are too large for Redis. It stays the caller's: it is not closed with the journal. */
  readonly payloadStore: PayloadStore
  readonly retention: Retention
  readonly logger: Logger
  /** Milliseconds since 1970; tests move it. */
  readonly clock?: () => number
  /** Keep the far side's words for e-mails. */
  readonly mailDetails?: boolean
  /** Default: nothing is traced. It stays the caller's. */
  readonly tracer?: Tracer
}

/** What every part of the journal works with. The parts: `intake`, `attempt` and `worker`, `sweeper`, `operations`. */
export interface Journal extends AsyncDisposable {
  readonly redis: RedisConnection
  readonly installation: string
  /** Base of every journal key. */
  readonly base: string
  readonly run: RunScript
  readonly sealer: Sealer
  readonly payloads: Payloads
  readonly queues: Queues
  readonly retention: Retention
  readonly mailDetails: boolean
  readonly logger: Logger
  readonly clock: () => number
  readonly tracer: Tracer
}

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** A provisional reply that nobody collects within this time becomes an e-mail. */
const collectMs = hourMs

/** An open message is looked at by the sweeper when nothing was heard of it for this long. */
export const watchMs = 15_000

export function createJournal(options: JournalOptions): Journal {
  const { redis, installation, logger } = options
  const base = `${queuePrefix(installation)}:journal`
  const queues = createQueues({ redis, installation, logger })
  const clock = options.clock ?? Date.now
  const { retention } = options
  const retentionMs = retention.messagesDays * dayMs
  const constants = { watchMs, collectMs, retentionMs, replayMs: retention.replayHours * hourMs }
  return {
    redis,
    installation,
    base,
    run: createScriptRunner({ redis, base, clock, constants }),
    sealer: createSealer(options.payloadKeys),
    payloads: createPayloads({
      small: createRedisPayloadStore(redis, base),
      large: options.payloadStore,
      keys: options.payloadKeys,
      pending: {
        add: (reference) => redis.zadd(`${base}:pending`, clock(), reference),
        remove: (reference) => redis.zrem(`${base}:pending`, reference),
      },
      clock,
    }),
    queues,
    retention,
    mailDetails: options.mailDetails ?? false,
    logger,
    clock,
    tracer: options.tracer ?? noTracer,
    [Symbol.asyncDispose]: () => queues[Symbol.asyncDispose](),
  }
}

/** What a sealed value belongs to; see `Sealer`. */
export const payloadContext = (key: string) => `${key}:payload`
export const replyContext = (key: string) => `${key}:reply`
export const faultsContext = (key: string) => `${key}:faults`
export const recordContext = (key: string, field: string) => `${key}:record:${field}`
export const refusalContext = (id: string, what: string) => `${id}:refusal:${what}`
export const effectContext = (key: string, effect: string) => `${key}:effect:${effect}`
