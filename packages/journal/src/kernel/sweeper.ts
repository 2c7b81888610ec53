import { randomUUID } from 'node:crypto'
import { type FlowId, flowIds, isFlowId } from '@tieline/contracts/flows'
import { uncollectedNotice } from '@tieline/contracts/notice-words'
import type { ChainableCommander } from 'ioredis'
import { dayMs, hourMs, type Journal, watchMs } from '../journal.ts'
import { closeMailWindows, tellRecovered } from '../mail/windows.ts'
import { trimRefusals } from '../refusals/refusals.ts'
import { settledStates } from '../schema.ts'
import { tellMissedRuns } from '../transfers/schedules.ts'
import { dueBlobs, dueFields, enqueueDue, noticeMessage } from './due-messages.ts'
import { followClock } from './follow-clock.ts'
import type { ArgumentsOf } from './scripts.ts'

const sweepBatch = 500
const trimEveryMs = 60_000

/**
 * Does what a crash left undone: gives open messages without a job a new run, turns replies that nobody collected into
 * e-mails, and forgets what is past its retention. Every worker process has one; a lock lets one of them work at a time.
 */
export function startSweeper(journal: Journal, everyMs = 5_000): AsyncDisposable {
  const self = randomUUID()
  let running: Promise<void> = Promise.resolve()
  let trimmedAt = 0

  const sweep = async () => {
    const mine = await journal.redis.set(`${journal.base}:sweeper`, self, 'PX', Math.max(everyMs - 100, 100), 'NX')
    if (mine === null) return
    await sweepOnce(journal)
    if (journal.clock() - trimmedAt < trimEveryMs) return
    trimmedAt = journal.clock()
    await trimExpired(journal)
  }
  const timer = setInterval(() => {
    running = running
      .then(sweep)
      .catch((error) => journal.logger.warn({ err: error }, 'A sweep failed; the next one tries again'))
  }, everyMs)

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}

/** Looks at the open messages nobody has heard of for a while. */
export const reviveLost = (journal: Journal): Promise<void> =>
  inBatches(
    () => due(journal, ':open', journal.clock()),
    (keys) => reviveBatch(journal, keys),
  )

async function reviveBatch(journal: Journal, keys: readonly string[]): Promise<void> {
  const suspects = await readSuspects(journal, keys)
  const withJob = suspects.flatMap(({ key, job }) => (job ? [{ key, job }] : []))
  const alive = await journal.queues.alive(withJob.map(({ job }) => job))
  const comes = new Set(withJob.filter((_, i) => alive[i]).map(({ key }) => key))
  const sound = suspects.filter((suspect) => suspect.sound || comes.has(suspect.key))
  const lost = suspects.filter((suspect) => !suspect.sound && !comes.has(suspect.key))
  const nextLook = journal.clock() + 2 * watchMs
  if (sound.length > 0)
    await journal.redis.zadd(`${journal.base}:open`, 'XX', ...sound.flatMap(({ key }) => [nextLook, key]))
  await Promise.all(lost.map(({ key, run }) => revive(journal, key, run)))
}

interface Suspect {
  readonly key: string
  readonly run: string
  /** The job that must come for the message. */
  readonly job?: { readonly flow: FlowId; readonly run: string }
  /** Without a job: whether that is as it should be. */
  readonly sound: boolean
}

async function readSuspects(journal: Journal, keys: readonly string[]): Promise<Suspect[]> {
  const records = await readAll(journal, (pipeline) => {
    for (const key of keys) pipeline.hmget(`${journal.base}:m:${key}`, 'flow', 'run', 'blockedBy', 'state', 'line')
  })
  const holders = await readAll(journal, (pipeline) => {
    for (const record of records) {
      pipeline.zrangebyscore(`${journal.base}:l:${(record as (string | null)[])[4]}`, 0, 0)
    }
  })
  return keys.map((key, i) => {
    const [flow, run, blockedBy, state] = records[i] as (string | null)[]
    if (!flow || !run) return { key, run: '', sound: false }
    // A flow of a newer version of Tieline is looked after by that version.
    if (!isFlowId(flow)) return { key, run, sound: true }
    // A message that waits has no job of its own: what it waits for has one.
    const [holder] = holders[i] as string[]
    if (state === 'waiting' && !blockedBy) return { key, run, sound: holder !== undefined && holder !== key }
    return { key, run, job: { flow, run: blockedBy || run }, sound: false }
  })
}

async function readAll(journal: Journal, ask: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
  const pipeline = journal.redis.pipeline()
  ask(pipeline)
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error
    return answer
  })
}

async function revive(journal: Journal, key: string, run: string): Promise<void> {
  const { moved } = await journal.run('revive', { key, run })
  if (moved) await enqueueDue(journal, [], moved)
}

/** Takes jobs of runs that are over out of their queues; what a worker still holds comes at the next sweep. */
async function removeWithdrawn(journal: Journal): Promise<void> {
  const withdrawn = `${journal.base}:withdrawn`
  for (const member of await journal.redis.srandmember(withdrawn, sweepBatch)) {
    const [flow = '', run = ''] = member.split(' ')
    if (!isFlowId(flow) || (await journal.queues.remove(flow, run))) await journal.redis.srem(withdrawn, member)
  }
}

/** One chore after the other. One that fails does not keep the others from being done. */
export async function sweepOnce(journal: Journal): Promise<void> {
  for (const chore of chores) {
    await chore(journal).catch((error) =>
      journal.logger.warn({ err: error, chore: chore.name }, 'A chore failed; the next sweep tries again'),
    )
  }
}

/** What calls the payload store comes last: it is the slowest. */
const chores = [
  followClock,
  reviveLost,
  removeWithdrawn,
  notifyUncollected,
  closeMailWindows,
  tellRecovered,
  tellMissedRuns,
  removeLeftPayloads,
] as const

/** A payload that is still coming is told again every minute, so one that is pending for so long was left behind. */
const leftAfterMs = hourMs

/** Removes payloads that no record holds: their process died, or a record let go of them and the store was away. */
async function removeLeftPayloads(journal: Journal): Promise<void> {
  const pending = `${journal.base}:pending`
  const left = await due(journal, ':pending', journal.clock() - leftAfterMs)
  if (left.length === 0) return
  // From now on no record takes them.
  await journal.redis.zadd(pending, 'XX', ...left.flatMap((reference) => [-1, reference]))
  await removePayloads(journal, left)
}

/** Each by itself, and at once, so that a store that does not answer costs one time-out. What stays is still pending. */
async function removePayloads(journal: Journal, references: readonly string[]): Promise<void> {
  const removed = await Promise.allSettled(references.map((reference) => journal.payloads.remove(reference)))
  const errors = removed.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  if (errors.length === 0) return
  journal.logger.warn({ err: errors[0], count: errors.length }, 'Could not remove payloads; a later sweep tries again')
}

async function notifyUncollected(journal: Journal): Promise<void> {
  const now = journal.clock()
  const names = ['flow', 'generation', 'attempts', 'outcome', 'trace'] as const
  for (const key of await due(journal, ':uncollected', now)) {
    const [flow, generation, attempts, outcome, trace] = await journal.redis.hmget(`${journal.base}:m:${key}`, ...names)
    const words = { flow: flow ?? 'unknown', key, outcome: outcome ?? '', attempts: Number(attempts ?? 0), now }
    const mails = [noticeMessage(journal, uncollectedNotice(words), Number(generation ?? 0), trace ?? undefined)]
    const { kind } = await journal.run('collect', { key, overdue: true, ...dueFields(mails) }, dueBlobs(mails))
    if (kind === 'notified') await enqueueDue(journal, mails)
  }
}

/** Forgets settled messages, spent payloads, old refusals and audit entries. */
export async function trimExpired(journal: Journal): Promise<void> {
  const now = journal.clock()
  const { messagesDays, payloadHours, auditDays } = journal.retention
  await trimSet(journal, ':spent', now - payloadHours * hourMs, true)
  for (const flow of flowIds) {
    for (const state of settledStates) await trimSet(journal, `:s:${flow}:${state}`, now - messagesDays * dayMs, false)
  }
  await trimRefusals(journal)
  await journal.redis.xtrim(`${journal.base}:audit`, 'MINID', now - auditDays * dayMs)
}

const trimSet = (journal: Journal, from: string, before: number, payloadOnly: boolean): Promise<void> =>
  inBatches(
    () => due(journal, from, before),
    async (keys) => {
      await Promise.all(keys.map((key) => trim(journal, { key, from, before, payloadOnly })))
    },
  )

async function trim(journal: Journal, what: ArgumentsOf<'trim'>): Promise<void> {
  const { unused = [], ticket, flow } = await journal.run('trim', what)
  await removePayloads(journal, unused)
  if (ticket && flow) await journal.queues.remove(flow, ticket)
}

/** The members whose time has come, the longest overdue first. */
const due = (journal: Journal, set: string, until: number): Promise<string[]> =>
  journal.redis.zrangebyscore(`${journal.base}${set}`, '-inf', until, 'LIMIT', 0, sweepBatch)

/** `work` must take what it gets out of what `next` finds: a backlog of any size is worked off in one go. */
async function inBatches(next: () => Promise<string[]>, work: (keys: string[]) => Promise<void>): Promise<void> {
  for (;;) {
    const keys = await next()
    if (keys.length > 0) await work(keys)
    if (keys.length < sweepBatch) return
  }
}
