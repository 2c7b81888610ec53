import type { FileTotals } from '@tieline/contracts/file-totals'
import type { Notice } from '@tieline/contracts/notice'
import type { RedisConnection } from '@tieline/runtime/redis'
import { DelayedError, type Job, Worker } from 'bullmq'
import { enqueueDue, noticeMessage } from './due-messages.ts'
import { type Journal, watchMs } from './journal.ts'
import { type Operator, summarize } from './operations.ts'
import { queuePrefix, type Tick } from './queues.ts'
import { startRun, type TransferName, transferKey } from './runs.ts'
import { openStates, type State } from './types.ts'

/** When a transfer runs by itself. */
export interface Schedule extends TransferName {
  /** Cron expression of five fields, or six with seconds first. */
  readonly schedule: string
  /** Name of the IANA database. */
  readonly timezone: string
}

/** A run that has not begun so long after its time is told of. */
const missedAfterMs = 120_000
/** A run waits so long before it looks again whether the one before it has ended. */
const busyMs = 5_000

/**
 * Makes the schedules of BullMQ those of the installation file, without the paused ones. A schedule that is as it was is left
 * alone: setting it anew would skip a run that is due.
 */
export async function applySchedules(journal: Journal, schedules: readonly Schedule[]): Promise<void> {
  const { queues, redis, base } = journal
  const paused = await redis.hkeys(`${base}:paused`)
  const wanted = new Map(schedules.filter(({ name }) => !paused.includes(name)).map((one) => [one.name, one]))
  const present = new Map((await queues.schedules.getJobSchedulers()).map((one) => [one.key, one]))
  for (const name of present.keys()) if (!wanted.has(name)) await queues.schedules.removeJobScheduler(name)
  for (const { name, schedule, timezone } of wanted.values()) {
    const known = present.get(name)
    if (known?.pattern === schedule && known.tz === timezone) continue
    await queues.schedules.upsertJobScheduler(
      name,
      { pattern: schedule, tz: timezone },
      { name, data: {}, opts: tickOptions },
    )
  }
}

/** An error of Redis must not cost a run. */
const tickOptions = { attempts: 1_000, backoff: { type: 'fixed', delay: 5_000 }, removeOnComplete: true }

/** Starts the runs when their time comes, as long as it is not disposed. Several may run; each run begins once. */
export async function startScheduler(
  journal: Journal,
  connection: RedisConnection,
  transfers: () => readonly TransferName[],
): Promise<AsyncDisposable> {
  const handle = async (job: Job<Tick>, token?: string) => {
    const transfer = transfers().find(({ name }) => name === job.name)
    if (transfer === undefined || (await journal.redis.hexists(`${journal.base}:paused`, job.name)) === 1) return
    const dueAt = job.opts.prevMillis ?? job.timestamp
    const { kind } = await startRun(journal, { transfer, notBefore: dueAt, who: 'schedule' })
    // One that had to wait for the run before it was noticed in time.
    const late = journal.clock() - dueAt > missedAfterMs && job.attemptsStarted === 1
    if (kind === 'started' && late) await tellMissed(journal, transfer.name, dueAt)
    if (kind !== 'busy') return
    await job.moveToDelayed(Date.now() + busyMs, token)
    throw new DelayedError()
  }
  const worker = new Worker<Tick>(journal.queues.schedules.name, handle, {
    connection,
    prefix: queuePrefix(journal.installation),
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 1_000,
  })
  worker.on('error', (error) => {
    if (connection.status === 'ready') journal.logger.warn({ err: error }, 'The worker of schedules met an error')
  })
  await worker.waitUntilReady()
  return { [Symbol.asyncDispose]: () => worker.close() }
}

/** Tells of runs that did not begin at their time, once each. */
export async function tellMissedRuns(journal: Journal): Promise<void> {
  const late = journal.clock() - missedAfterMs
  for (const { key: name, next } of await journal.queues.schedules.getJobSchedulers()) {
    if (next !== undefined && next < late) await tellMissed(journal, name, next)
  }
}

async function tellMissed(journal: Journal, transfer: string, dueAt: number): Promise<void> {
  const when = new Date(dueAt).toISOString()
  const notice: Notice = {
    kind: 'error',
    flow: 'device-score',
    code: 'run-missed',
    summary: `The run of transfer ${transfer} that was due at ${when} did not begin in time`,
    occurredAt: when,
    next: 'It begins as soon as a worker of device-score runs.',
  }
  const mail = noticeMessage(journal, notice, `${transfer}#${dueAt}`)
  const named = { due: [mail.fields], missed: transfer, now: journal.clock(), watchMs }
  const told = await journal.run('notify', named, ['', mail.sealed])
  if (told === 1) await enqueueDue(journal, [mail])
}

export interface ScheduleStatus extends Schedule {
  readonly state: 'scheduled' | 'paused' | 'not-scheduled'
  /** Milliseconds since 1970. */
  readonly nextAt?: number
  readonly paused?: Operator & { readonly at: number }
  readonly lastRun?: {
    readonly key: string
    readonly state: State
    readonly at: number
    readonly code?: string
    readonly files?: FileTotals
  }
}

/** The transfers of the installation file with what is known of their runs. */
export async function listSchedules<One extends Schedule>(
  journal: Journal,
  schedules: readonly One[],
): Promise<(One & ScheduleStatus)[]> {
  const present = new Map((await journal.queues.schedules.getJobSchedulers()).map((one) => [one.key, one]))
  const paused = await journal.redis.hgetall(`${journal.base}:paused`)
  const runs = new Map((await summarize(journal, schedules.map(transferKey))).map((run) => [run.key, run]))
  return schedules.map((schedule) => {
    const pause = paused[schedule.name]
    const next = present.get(schedule.name)?.next
    const run = runs.get(transferKey(schedule))
    return {
      ...schedule,
      state: pause ? 'paused' : present.has(schedule.name) ? 'scheduled' : 'not-scheduled',
      ...(next !== undefined && { nextAt: next }),
      ...(pause && { paused: JSON.parse(pause) as Operator & { at: number } }),
      ...(run && {
        lastRun: {
          key: run.key,
          state: run.state,
          at: run.stateAt,
          ...(run.code !== undefined && { code: run.code }),
          ...(run.files && { files: run.files }),
        },
      }),
    }
  })
}

export const isOpen = (state: State): boolean => openStates.some((open) => open === state)

/** No run begins by itself any more, until somebody resumes the transfer. */
export async function pauseSchedule(journal: Journal, transfer: TransferName, by: Operator): Promise<void> {
  await setPaused(journal, transfer, by, true)
  await journal.queues.schedules.removeJobScheduler(transfer.name)
}

/** @param schedules all of the installation file */
export async function resumeSchedule(
  journal: Journal,
  transfer: TransferName,
  by: Operator,
  schedules: readonly Schedule[],
): Promise<void> {
  await setPaused(journal, transfer, by, false)
  await applySchedules(journal, schedules)
}

async function setPaused(journal: Journal, transfer: TransferName, { who, why }: Operator, paused: boolean) {
  const { name } = transfer
  await journal.run('pause', { name, key: transferKey(transfer), who, why, paused, now: journal.clock() })
}
