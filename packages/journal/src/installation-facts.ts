import { type FlowId, flowSpec } from '@tieline/contracts/flows'
import { memoryUse } from '@tieline/runtime/redis'
import type { Journal } from './journal.ts'
import { countMessages, type FlowCounts } from './operations.ts'
import { listSchedules, type Schedule, type ScheduleStatus } from './transfers/schedules.ts'

/** What the journal says about the whole installation, whichever process reads it. */
export interface InstallationFacts {
  readonly nowMs: number
  readonly flows: readonly (FlowCounts & { readonly paused: boolean })[]
  readonly transfers: readonly (ScheduleStatus & { readonly missed: number })[]
  /** E-mails that wait for the digest of their kind. */
  readonly joinedMails: number
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number }
}

/** Costs the same whatever there is to do: counts and first members of sets, never a look at messages. */
export async function readInstallation(journal: Journal, schedules: readonly Schedule[]): Promise<InstallationFacts> {
  const { redis, base, clock } = journal
  const [counts, paused, transfers, missed, joinedMails, memory] = await Promise.all([
    countMessages(journal),
    readPaused(journal),
    schedules.length === 0 ? [] : listSchedules(journal, schedules),
    redis.hgetall(`${base}:missed`),
    countJoined(journal),
    memoryUse(redis),
  ])
  return {
    nowMs: clock(),
    flows: counts.map((flow) => ({ ...flow, paused: paused(flow.flow) })),
    transfers: transfers.map((transfer) => ({ ...transfer, missed: Number(missed[transfer.name] ?? 0) })),
    joinedMails,
    memory,
  }
}

/** Somebody pressed Pause in the console. */
async function readPaused({ queues }: Journal): Promise<(flow: FlowId) => boolean> {
  const states = await Promise.all(queues.all.map(async (queue) => [queue.name, await queue.isPaused()] as const))
  const paused = new Map(states)
  return (flow) => paused.get(flowSpec(flow).queue) ?? false
}

/** There is a window for each kind of failure that is going on. */
async function countJoined({ redis, base }: Journal): Promise<number> {
  const windows = await redis.zrange(`${base}:windows`, '0', '-1')
  if (windows.length === 0) return 0
  const pipeline = redis.pipeline()
  for (const window of windows) pipeline.hget(`${base}:w:${window}`, 'count')
  const counts = (await pipeline.exec()) ?? []
  return counts.reduce((sum, [, count]) => sum + Number(count ?? 0), 0)
}
