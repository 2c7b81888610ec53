import { type FlowId, flowIds, flows } from '@tieline/contracts/flows'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import { Queue } from 'bullmq'

/** All a job carries: what it says never overrules the journal. */
export interface Ticket {
  readonly key: string
}

/** The next run of a message, as the journal's scripts name it. */
export interface Run {
  readonly key: string
  readonly flow: FlowId
  readonly run: string
}

/** The job of a schedule says only by its name whose time has come. */
export type Tick = Readonly<Record<string, never>>

export interface Queues extends AsyncDisposable {
  readonly all: readonly Queue<Ticket>[]
  /** Whose job schedulers are the schedules of transfers. */
  readonly schedules: Queue<Tick>
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
  const schedules = open<Tick>('schedules')
  const queueOf = (flow: FlowId) => {
    const queue = byFlow.get(flow)
    if (!queue) throw new Error(`No queue for flow ${flow}`)
    return queue
  }
  return {
    all: [...byFlow.values()],
    schedules,
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
