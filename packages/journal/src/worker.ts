import { type FlowId, type FlowSpec, flowSpec } from '@tieline/contracts/flows'
import type { RedisConnection } from '@tieline/runtime/redis'
import { Registry } from 'prom-client'
import type { Journal } from './journal.ts'
import { runJob } from './kernel/run-job.ts'
import { startSweeper } from './kernel/sweeper.ts'
import { defaultLockMs, type QueueWorker, type Ticket, workOn } from './queues.ts'
import type { Processor } from './types.ts'
import { createWorkerMetrics, type WorkerMetrics } from './worker-metrics.ts'

export interface WorkerOptions<Tables extends { readonly version: number }> {
  readonly journal: Journal
  /** A connection that waits for Redis; BullMQ makes its blocking ones from it. */
  readonly connection: RedisConnection
  readonly processors: readonly Processor<Tables>[]
  /** The lookups as they are now: each attempt reads one snapshot. */
  readonly snapshot: () => Tables
  /** The catalogue's entry with the installation's overrides. */
  readonly spec?: (flow: FlowId) => FlowSpec
  readonly concurrency?: number
  /** See `QueueWork`; several for a flow whose callers wait, unless told. */
  readonly fetchers?: number
  /** A worker that dies is replaced after about both together. */
  readonly lockMs?: number
  readonly stalledCheckMs?: number
  readonly sweepEveryMs?: number
  /** Where attempts and ends are counted. */
  readonly register?: Registry
  /** Bound on waiting for running attempts when the service stops. */
  readonly drainMs?: number
}

const heartbeatMs = 5_000

/** Measured: with 50 calls at a time, 7 fetchers pass a third more messages on than one, and fewer do not reach that. */
const jobsPerFetcher = 8

/**
 * Runs the processors, one BullMQ worker per flow, and a sweeper. A processor maps, delivers and acknowledges; everything
 * else about a message (taking, fencing, retrying, settling, the dead letter) happens here, once for all flows.
 */
export async function startWorkers<Tables extends { readonly version: number }>(
  options: WorkerOptions<Tables>,
): Promise<AsyncDisposable> {
  const { journal, connection, processors } = options
  const stopping = new AbortController()
  const metrics = createWorkerMetrics(options.register ?? new Registry())
  const workers = processors.map((processor) => startWorker(options, processor, metrics, stopping.signal))
  const beat = () =>
    journal.redis
      .hset(`${journal.base}:workers`, Object.fromEntries(processors.map(({ flow }) => [flow, journal.clock()])))
      .catch((error) => journal.logger.warn({ err: error }, 'Could not tell that this worker is alive'))
  await Promise.all(workers.map((worker) => worker.ready()))
  await beat()
  const heart = setInterval(() => void beat(), heartbeatMs)
  const sweeper = startSweeper(journal, options.sweepEveryMs)

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(heart)
      stopping.abort()
      // While Redis is away neither BullMQ nor a sweep comes to an end.
      const closed = Promise.all([...workers.map((worker) => worker.close()), sweeper[Symbol.asyncDispose]()])
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const bound = setTimeout(() => resolve(connection.disconnect()), options.drainMs ?? 20_000)
      await Promise.race([closed, late])
      clearTimeout(bound)
    },
  }
}

function startWorker<Tables extends { readonly version: number }>(
  options: WorkerOptions<Tables>,
  processor: Processor<Tables>,
  metrics: WorkerMetrics,
  stopping: AbortSignal,
): QueueWorker {
  const { journal, lockMs } = options
  const spec = (options.spec ?? flowSpec)(processor.flow)
  const concurrency = options.concurrency ?? spec.atOnce ?? 50
  const run = { journal, snapshot: options.snapshot, processor, metrics, spec, freshMs: (lockMs ?? defaultLockMs) / 4 }
  return workOn<Ticket>({
    queue: spec.queue,
    installation: journal.installation,
    connection: options.connection,
    logger: journal.logger,
    concurrency,
    // Whoever waits for an answer waits for the fetching too.
    fetchers: options.fetchers ?? (spec.replyMode === 'await' ? Math.ceil(concurrency / jobsPerFetcher) : 1),
    lockMs,
    stalledCheckMs: options.stalledCheckMs,
    maxStalledCount: 5,
    handle: (job, lost) => runJob({ ...run, job, signal: lost ? AbortSignal.any([stopping, lost]) : stopping }),
  })
}
