import type { FileTotals } from '@tieline/contracts/file-totals'
import { missedRunNotice } from '@tieline/contracts/notice-words'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { Journal } from '../journal.ts'
import { dueBlobs, dueFields, enqueueDue, noticeMessage } from '../kernel/due-messages.ts'
import type { Operator } from '../operations.ts'
import { type Ends, type JobAtHand, schedulesQueue, type Tick, workOn } from '../queues.ts'
import { openStates, type State } from '../schema.ts'
import { summarize } from '../summaries.ts'
import { startRun, type TransferName, transferKey } from './runs.ts'

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
  const present = new Map((await queues.schedules.list()).map((one) => [one.name, one]))
  for (const name of present.keys()) if (!wanted.has(name)) await queues.schedules.remove(name)
  for (const { name, schedule, timezone } of wanted.values()) {
    const known = present.get(name)
    if (known?.pattern === schedule && known.timezone === timezone) continue
    await queues.schedules.set(name, schedule, timezone)
  }
}

/** Starts the runs when their time comes, as long as it is not disposed. Several may run; each run begins once. */
export async function startScheduler(
  journal: Journal,
  connection: RedisConnection,
  transfers: () => readonly TransferName[],
): Promise<AsyncDisposable> {
  const handle = async ({ name, dueAt, started }: JobAtHand<Tick>): Promise<Ends> => {
    const transfer = transfers().find((one) => one.name === name)
    if (transfer === undefined || (await journal.redis.hexists(`${journal.base}:paused`, name)) === 1)
      return { kind: 'done' }
    const { kind } = await startRun(journal, { transfer, notBefore: dueAt, who: 'schedule' })
    // One that had to wait for the run before it was noticed in time.
    const late = journal.clock() - dueAt > missedAfterMs && started === 1
    if (kind === 'started' && late) await tellMissed(journal, name, dueAt)
    return kind === 'busy' ? { kind: 'later', atMs: Date.now() + busyMs } : { kind: 'done' }
  }
  const { installation, logger } = journal
  const worker = workOn<Tick>({
    queue: schedulesQueue,
    installation,
    connection,
    logger,
    maxStalledCount: 1_000,
    handle,
  })
  await worker.ready()
  return { [Symbol.asyncDispose]: () => worker.close() }
}

/** Tells of runs that did not begin at their time, once each. */
export async function tellMissedRuns(journal: Journal): Promise<void> {
  const late = journal.clock() - missedAfterMs
  for (const { name, nextAt } of await journal.queues.schedules.list()) {
    if (nextAt !== undefined && nextAt < late) await tellMissed(journal, name, nextAt)
  }
}

async function tellMissed(journal: Journal, transfer: string, dueAt: number): Promise<void> {
  const mails = [noticeMessage(journal, missedRunNotice(transfer, dueAt), `${transfer}#${dueAt}`)]
  const { kind } = await journal.run('notify', { missed: transfer, ...dueFields(mails) }, dueBlobs(mails))
  if (kind === 'due') await enqueueDue(journal, mails)
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
  const present = new Map((await journal.queues.schedules.list()).map((one) => [one.name, one]))
  const paused = await journal.redis.hgetall(`${journal.base}:paused`)
  const runs = new Map((await summarize(journal, schedules.map(transferKey))).map((run) => [run.key, run]))
  return schedules.map((schedule) => {
    const pause = paused[schedule.name]
    const next = present.get(schedule.name)?.nextAt
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
  await journal.queues.schedules.remove(transfer.name)
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
  await journal.run('pause', { name, key: transferKey(transfer), who, why, paused })
}
