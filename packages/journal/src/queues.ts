import { type FlowId, flowIds, flows } from '@tieline/contracts/flows'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import { DelayedError, type Job, Queue, UnrecoverableError, Worker } from 'bullmq'
import type { Run } from './script-calls.ts'

/** All a job carries: what it says never overrules the journal. */
export interface Ticket {
  readonly key: string
}

/** The job of a schedule says only by its name whose time has come. */
export type Tick = Readonly<Record<string, never>>

/** When the jobs of a schedule come. */
export interface Timetable {
  readonly name: string
  readonly pattern?: string | undefined
  readonly timezone?: string | undefined
  /** Milliseconds since 1970. */
  readonly nextAt?: number | undefined
}

export interface Queues extends AsyncDisposable {
  readonly all: readonly Queue<Ticket>[]
  readonly schedules: {
    list(): Promise<Timetable[]>
    set(name: string, pattern: string, timezone: string): Promise<void>
    remove(name: string): Promise<void>
  }
  /** Wakes a worker. Adding a run that BullMQ still knows does nothing. */
  add(run: Run): Promise<void>
  /** Takes the job of a run that is over out of its queue, such as a dead letter's ticket. False: a worker still holds it. */
  remove(flow: FlowId, run: string): Promise<boolean>
  /** Lets jobs that are delayed come after so long from now; leaves all others as they are. */
  delay(runs: readonly (Pick<Run, 'flow' | 'run'> & { readonly delayMs: number })[]): Promise<void>
  /** For each run: whether BullMQ still has an unfinished job for it. */
  alive(runs: readonly { flow: FlowId; run: string }[]): Promise<boolean[]>
}

export const queuePrefix = (installation: string) => `{${installation}}`

interface QueuesOptions {
  readonly redis: RedisConnection
  readonly installation: string
  readonly logger: Logger
}

/** One BullMQ queue per flow of the catalogue, all on one connection. */
export function createQueues({ redis, installation, logger }: QueuesOptions): Queues {
  const open = <Data>(name: string) => {
    const queue = new Queue<Data>(name, {
      connection: redis,
      prefix: queuePrefix(installation),
      skipWaitingForReady: true,
      streams: { events: { maxLen: 2_000 } },
      defaultJobOptions: {
        // The journal owns the schedule; these only matter for errors that escape it.
        attempts: 1_000,
        backoff: { type: 'fixed', delay: 1_000 },
        removeOnComplete: { count: 200 },
        stackTraceLimit: 0,
        sizeLimit: 4_096,
      },
    })
    queue.on('error', (error) => {
      // The connection itself says that Redis is away, once for all queues and not for each try.
      if (redis.status === 'ready') logger.warn({ err: error, queue: queue.name }, `Queue ${queue.name} met an error`)
    })
    return queue
  }
  const byFlow = new Map(flowIds.map((flow) => [flow, open<Ticket>(flows[flow].queue)]))
  const schedules = open<Tick>(schedulesQueue)
  const queueOf = (flow: FlowId) => {
    const queue = byFlow.get(flow)
    if (!queue) throw new Error(`No queue for flow ${flow}`)
    return queue
  }
  return {
    all: [...byFlow.values()],
    schedules: {
      async list() {
        const present = await schedules.getJobSchedulers()
        return present.map(({ key, pattern, tz, next }) => ({ name: key, pattern, timezone: tz, nextAt: next }))
      },
      async set(name, pattern, timezone) {
        await schedules.upsertJobScheduler(name, { pattern, tz: timezone }, { name, data: {}, opts: tickOptions })
      },
      async remove(name) {
        await schedules.removeJobScheduler(name)
      },
    },
    async add({ key, flow, run }) {
      await queueOf(flow).add(flow, { key }, { jobId: run })
    },
    async remove(flow, run) {
      return (await queueOf(flow).remove(run)) === 1
    },
    async delay(runs) {
      const pipeline = redis.pipeline()
      for (const { flow, run } of runs) pipeline.zscore(queueOf(flow).toKey('delayed'), run)
      const scores = ((await pipeline.exec()) ?? []).map(([error, score]) => {
        if (error) throw error
        return score
      })
      const delayed = runs.filter((_, i) => scores[i] !== null)
      await Promise.all(
        delayed.map(async ({ flow, run, delayMs }) => (await queueOf(flow).getJob(run))?.changeDelay(delayMs)),
      )
    },
    async alive(runs) {
      const pipeline = redis.pipeline()
      for (const { flow, run } of runs) pipeline.hmget(queueOf(flow).toKey(run), 'timestamp', 'finishedOn')
      const answers = (await pipeline.exec()) ?? []
      return answers.map(([error, fields]) => {
        if (error) throw error
        const [timestamp, finishedOn] = fields as [string | null, string | null]
        return timestamp !== null && finishedOn === null
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...byFlow.values(), schedules].map((queue) => queue.close()))
    },
  }
}

/** An error of Redis must not cost a run. */
const tickOptions = { attempts: 1_000, backoff: { type: 'fixed', delay: 5_000 }, removeOnComplete: true }

export const schedulesQueue = 'schedules'

/** What a worker knows of a job. */
export interface JobAtHand<Data> {
  readonly name: string
  readonly data: Data
  /** Its id: the run of a message. */
  readonly run: string
  /** Differs from every other time that a worker got the job. */
  readonly token: string
  /** How often it was given to a worker, and how many failures of it were filed. */
  readonly started: number
  readonly failuresFiled: number
  /** When it was due, in milliseconds since 1970. */
  readonly dueAt: number
}

/** What becomes of the job. */
export type Ends = { kind: 'done' } | { kind: 'later'; atMs: number } | { kind: 'failed'; reason: string }

export interface QueueWork<Data> {
  readonly queue: string
  readonly installation: string
  /** A connection that waits for Redis; BullMQ makes its blocking one from it. */
  readonly connection: RedisConnection
  readonly logger: Logger
  readonly concurrency?: number
  /**
   * BullMQ fetches the jobs of a worker one after the other, a trip to Redis each or two, however many it may work on at a time:
   * several workers that share the concurrency fetch at the same time.
   */
  readonly fetchers?: number
  /** A worker that dies is replaced after about both together. */
  readonly lockMs?: number | undefined
  readonly stalledCheckMs?: number | undefined
  readonly maxStalledCount: number
  /** @param signal aborted when the job's lock is lost */
  readonly handle: (job: JobAtHand<Data>, signal: AbortSignal | undefined) => Promise<Ends>
}

export interface QueueWorker {
  ready(): Promise<unknown>
  close(): Promise<void>
}

/** Takes the jobs of a queue, one after the other in each of `concurrency` lanes. */
export function workOn<Data>(work: QueueWork<Data>): QueueWorker {
  const { queue, connection, logger } = work
  const process = async (job: Job<Data>, token: string | undefined, signal: AbortSignal | undefined) => {
    const ends = await work.handle(atHand(job, token), signal)
    if (ends.kind === 'later') {
      await job.moveToDelayed(ends.atMs, token)
      throw new DelayedError()
    }
    if (ends.kind === 'failed') throw new UnrecoverableError(ends.reason)
  }
  const { concurrency = 1, fetchers = 1 } = work
  const openWorker = (_: unknown, i: number) => {
    const worker = new Worker<Data>(queue, process, {
      connection,
      prefix: queuePrefix(work.installation),
      concurrency: Math.floor((concurrency + i) / fetchers),
      lockDuration: work.lockMs ?? defaultLockMs,
      stalledInterval: work.stalledCheckMs ?? 5_000,
      // One look a queue is enough.
      skipStalledCheck: i > 0,
      maxStalledCount: work.maxStalledCount,
    })
    worker.on('lockRenewalFailed', (ids: string[]) => {
      for (const id of ids) worker.cancelJob(id, 'lost its lock')
    })
    worker.on('error', (error) => {
      // As with queues: the connection tells of outages.
      if (connection.status === 'ready') logger.warn({ err: error, queue }, `Worker of ${queue} met an error`)
    })
    return worker
  }
  const workers = Array.from({ length: fetchers }, openWorker)
  return {
    ready: () => Promise.all(workers.map((worker) => worker.waitUntilReady())),
    close: async () => void (await Promise.all(workers.map((worker) => worker.close()))),
  }
}

export const defaultLockMs = 10_000

const atHand = <Data>(job: Job<Data>, token: string | undefined): JobAtHand<Data> => ({
  name: job.name,
  data: job.data,
  run: job.id ?? '',
  token: `${token}:${job.attemptsStarted}`,
  started: job.attemptsStarted,
  failuresFiled: job.attemptsMade,
  dueAt: job.opts.prevMillis ?? job.timestamp,
})
