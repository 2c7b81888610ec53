import { type FlowId, type FlowSpec, flowSpec } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { backoff, CallError, never, type Retry, TielineError } from '@tieline/runtime/error'
import type { RedisConnection } from '@tieline/runtime/redis'
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq'
import { Registry } from 'prom-client'
import {
  AttemptLost,
  createAttempt,
  enqueueDue,
  type OpenAttempt,
  Postponed,
  readPayload,
  type Taken,
} from './attempt.ts'
import { type Journal, watchMs } from './journal.ts'
import { queuePrefix, type Run, type Ticket } from './queues.ts'
import { JournalError } from './scripts.ts'
import { startSweeper } from './sweeper.ts'
import type { Processor, Settlement } from './types.ts'
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
  await Promise.all(workers.map((worker) => worker.waitUntilReady()))
  await beat()
  const heart = setInterval(() => void beat(), heartbeatMs)
  const sweeper = startSweeper(journal, options.sweepEveryMs)

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(heart)
      stopping.abort()
      await sweeper[Symbol.asyncDispose]()
      const bound = setTimeout(() => connection.disconnect(), options.drainMs ?? 20_000)
      await Promise.all(workers.map((worker) => worker.close()))
      clearTimeout(bound)
    },
  }
}

function startWorker<Tables extends { readonly version: number }>(
  options: WorkerOptions<Tables>,
  processor: Processor<Tables>,
  metrics: WorkerMetrics,
  stopping: AbortSignal,
): Worker<Ticket> {
  const { journal } = options
  const spec = (options.spec ?? flowSpec)(processor.flow)
  const handle = async (job: Job<Ticket>, token: string | undefined, signal: AbortSignal | undefined) => {
    const signals = signal ? [stopping, signal] : [stopping]
    const ends = await runJob({ options, processor, spec, job, token: token ?? '', signal: AbortSignal.any(signals) })
    if (ends.kind === 'later') {
      await job.moveToDelayed(ends.atMs, token)
      throw new DelayedError()
    }
    if (ends.kind === 'dead') throw new UnrecoverableError(ends.reason)
  }
  const worker = new Worker<Ticket>(spec.queue, handle, {
    connection: options.connection,
    prefix: queuePrefix(journal.installation),
    concurrency: options.concurrency ?? 50,
    lockDuration: options.lockMs ?? 10_000,
    stalledInterval: options.stalledCheckMs ?? 5_000,
    maxStalledCount: 5,
  })
  worker.on('lockRenewalFailed', (ids: string[]) => {
    for (const id of ids) worker.cancelJob(id, 'lost its lock')
  })
  worker.on('error', (error) =>
    journal.logger.warn({ err: error, queue: spec.queue }, `Worker of ${spec.queue} met an error`),
  )
  return worker
}

/** What BullMQ is told at the end of an attempt. */
type Ends = { kind: 'done' } | { kind: 'later'; atMs: number } | { kind: 'dead'; reason: string }

const done: Ends = { kind: 'done' }

interface JobRun<Tables> {
  readonly options: WorkerOptions<Tables & { readonly version: number }>
  readonly processor: Processor<Tables>
  readonly metrics: WorkerMetrics
  readonly spec: FlowSpec
  readonly job: Job<Ticket>
  readonly token: string
  readonly signal: AbortSignal
}

async function runJob<Tables>(context: JobRun<Tables>): Promise<Ends> {
  const { journal } = context.options
  try {
    return await attemptMessage(context)
  } catch (error) {
    if (error instanceof AttemptLost) return yieldMessage(context, error)
    // The journal could not be written: the record still says what is true, so the same run simply comes again.
    journal.logger.warn(
      { err: error, key: context.job.data.key },
      'The journal is not available; the attempt will be taken again',
    )
    return { kind: 'later', atMs: journal.clock() + 1_000 }
  }
}

async function attemptMessage<Tables>(context: JobRun<Tables>): Promise<Ends> {
  const { options, processor, spec, job, token, signal } = context
  const { journal } = options
  const { key } = job.data
  const run = job.id ?? ''
  const tables = options.snapshot()
  const fencingToken = `${token}:${job.attemptsStarted}`
  const [told, sealed] = (await journal.run('take', {
    key,
    run,
    token: fencingToken,
    now: journal.clock(),
    watchMs,
    nextRun: crypto.randomUUID(),
    made: job.attemptsMade,
    lookups: tables.version,
    refuseOvertaken: spec.refuseOvertaken,
    who: 'bull-board',
  })) as [string, string | null]
  const taken = JSON.parse(told) as
    | ({ kind: 'attempt' } & Taken)
    | { kind: 'surplus'; moved?: Run }
    | { kind: 'ticket'; code: string }
  if (taken.kind === 'ticket') return { kind: 'dead', reason: taken.code }
  if (taken.kind === 'surplus') {
    await enqueueDue(journal, [], taken.moved)
    return done
  }

  const handle = { journal, key, run, token: fencingToken, taken, signal }
  let attempt = createAttempt(handle, undefined)
  try {
    attempt = createAttempt(handle, await readPayload(journal, key, sealed, taken.payloadRef))
    if (taken.overtaken) throw overtaken()
    return await settle(context, attempt, await processor.process(attempt, tables))
  } catch (error) {
    if (error instanceof AttemptLost || error instanceof JournalError) throw error
    if (error instanceof Postponed) {
      await attempt.retryAt(error.untilMs)
      return { kind: 'later', atMs: error.untilMs }
    }
    return await fail(context, attempt, taken, tables, toTielineError(error, context))
  }
}

async function fail<Tables>(
  context: JobRun<Tables>,
  attempt: OpenAttempt,
  taken: Taken,
  tables: Tables,
  error: TielineError,
): Promise<Ends> {
  const { options, spec } = context
  const { journal } = options
  const now = journal.clock()
  const failedSince = taken.failedSince || now
  const delayMs = retryDelayMs(error.retry, taken.failures, spec)
  if (delayMs !== undefined && now + delayMs <= failedSince + spec.retry.retryForS * 1_000) {
    const alarmDue =
      spec.retry.alarmAfterS !== undefined && !taken.alarmed && now - failedSince >= spec.retry.alarmAfterS * 1_000
    await attempt.retryAt(now + delayMs, error.code, alarmDue ? [stillFailing(attempt, error, spec, now)] : [])
    context.metrics.retried.inc({ flow: attempt.flow, code: error.code })
    journal.logger.warn(
      { key: attempt.key, code: error.code, delayMs, attempt: attempt.number },
      `Will retry ${attempt.flow}: ${error.code}`,
    )
    return { kind: 'later', atMs: now + delayMs }
  }
  const settlement =
    attempt.payload === undefined ? lastResort(attempt, error, now) : giveUp(context, attempt, error, tables)
  return settle(context, attempt, error.code === 'superseded' ? { ...settlement, state: 'superseded' } : settlement)
}

function giveUp<Tables>(
  { processor, options }: JobRun<Tables>,
  attempt: OpenAttempt,
  error: TielineError,
  tables: Tables,
): Settlement {
  try {
    return processor.giveUp(attempt, error, tables)
  } catch (mistake) {
    options.journal.logger.error(
      { err: withoutMessage(mistake), key: attempt.key },
      'Could not word the end of a message',
    )
    return lastResort(attempt, error, options.journal.clock())
  }
}

async function settle<Tables>(
  { options, job, metrics }: JobRun<Tables>,
  attempt: OpenAttempt,
  settlement: Settlement,
): Promise<Ends> {
  await attempt.settle(settlement, job.attemptsMade)
  const { state, outcome, code } = settlement
  metrics.settled.inc({ flow: attempt.flow, state })
  const line = { key: attempt.key, state, outcome, code, attempt: attempt.number }
  if (state === 'succeeded') options.journal.logger.info(line, `Settled ${attempt.flow}: ${outcome}`)
  else options.journal.logger.error(line, `Settled ${attempt.flow}: ${outcome}, ${code ?? state}`)
  return state === 'dead' ? { kind: 'dead', reason: code ?? 'internal' } : done
}

async function yieldMessage<Tables>({ options: { journal }, job }: JobRun<Tables>, lost: AttemptLost): Promise<Ends> {
  journal.logger.warn(
    { key: job.data.key, reason: lost.reason },
    'An attempt ended without a word: it lost its message',
  )
  const named = { key: job.data.key, run: job.id ?? '', now: journal.clock(), watchMs, nextRun: crypto.randomUUID() }
  const { moved } = JSON.parse(String(await journal.run('yield', named))) as { moved?: Run }
  await enqueueDue(journal, [], moved)
  return done
}

/** Milliseconds until the next attempt, or undefined when there shall be none. A fifth of jitter keeps herds apart. */
export function retryDelayMs(
  retry: Retry,
  failures: number,
  { retry: schedule }: Pick<FlowSpec, 'retry'>,
): number | undefined {
  switch (retry.kind) {
    case 'never':
      return undefined
    case 'after':
      return retry.delayMs
    case 'backoff':
      return Math.round(
        Math.min(schedule.firstDelayMs * 2 ** failures, schedule.capDelayMs) * (0.8 + Math.random() * 0.2),
      )
  }
}

const overtaken = () =>
  new TielineError('superseded', never, 'The target has already answered a later message of the same line')

function toTielineError<Tables>(error: unknown, { options, job }: JobRun<Tables>): TielineError {
  if (error instanceof TielineError) return error
  options.journal.logger.error({ err: withoutMessage(error), key: job.data.key }, 'Unexpected error in a processor')
  return new TielineError('internal', backoff, 'Unexpected error', { cause: error })
}

/** The text of an unexpected error may quote a payload; where it happened does not. */
function withoutMessage(error: unknown): { name: string; frames: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, frames: [] }
  return { name: error.name, frames: (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) }
}

const callFacts = (error: TielineError) => ({
  ...(error instanceof CallError && { connection: error.connection }),
  ...(error instanceof CallError && error.status !== undefined && { httpStatus: error.status }),
})

const stillFailing = (attempt: OpenAttempt, error: TielineError, spec: FlowSpec, now: number): Notice => ({
  kind: 'error',
  flow: attempt.flow,
  messageKey: attempt.key,
  code: 'still-failing',
  summary: `${spec.title} has been failing for ${Math.round((spec.retry.alarmAfterS ?? 0) / 60)} minutes: ${error.message}.`,
  attempts: attempt.number,
  occurredAt: new Date(now).toISOString(),
  next: 'Tieline goes on trying; a last e-mail follows if it gives up.',
  ...callFacts(error),
})

/** For messages that cannot even be read: nobody can be answered, so people are told. */
const lastResort = (attempt: OpenAttempt, error: TielineError, now: number): Settlement => ({
  state: 'dead',
  outcome: 'FAILURE',
  code: error.code,
  notices: [
    {
      kind: 'error',
      flow: attempt.flow,
      messageKey: attempt.key,
      code: error.code,
      summary: `${attempt.flow} could not be worked on: ${error.message}.`,
      attempts: attempt.number,
      occurredAt: new Date(now).toISOString(),
      next: 'Nothing happens by itself: mend the cause, then resubmit the dead letter.',
      ...callFacts(error),
    },
  ],
})
