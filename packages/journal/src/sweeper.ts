import { randomUUID } from 'node:crypto'
import { type FlowId, flowIds, isFlowId } from '@tieline/contracts/flows'
import { enqueueDue } from './attempt.ts'
import { collectMs } from './intake.ts'
import { dayMs, hourMs, type Journal, watchMs } from './journal.ts'
import { noticeMessage } from './notices.ts'
import type { Run } from './queues.ts'
import { settledStates } from './types.ts'

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
    await reviveLost(journal)
    await notifyUncollected(journal)
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
export async function reviveLost(journal: Journal): Promise<void> {
  const keys = await journal.redis.zrangebyscore(
    `${journal.base}:open`,
    '-inf',
    journal.clock(),
    'LIMIT',
    0,
    sweepBatch,
  )
  if (keys.length === 0) return
  const pipeline = journal.redis.pipeline()
  for (const key of keys) pipeline.hmget(`${journal.base}:m:${key}`, 'flow', 'run', 'blockedBy', 'state')
  const records = ((await pipeline.exec()) ?? []).map(([, fields]) => fields as (string | null)[])

  const suspects = keys.flatMap((key, i) => {
    const [flow, run, blockedBy, state] = records[i] ?? []
    // A message that waits has no job of its own: what it waits for has one.
    return flow && isFlowId(flow) && run
      ? [{ key, flow, run, job: blockedBy || run, waits: state === 'waiting' && !blockedBy }]
      : []
  })
  const alive = await journal.queues.alive(suspects.map(({ flow, job }) => ({ flow, run: job })))
  for (const [i, { key, run, waits }] of suspects.entries()) {
    if (alive[i] && !waits) {
      await journal.redis.zadd(`${journal.base}:open`, 'XX', journal.clock() + 2 * watchMs, key)
      continue
    }
    const named = { key, run, nextRun: randomUUID(), now: journal.clock(), watchMs }
    const { moved } = JSON.parse(String(await journal.run('revive', named))) as { moved?: Run }
    if (moved) await enqueueDue(journal, [], moved)
  }
}

async function notifyUncollected(journal: Journal): Promise<void> {
  const now = journal.clock()
  const keys = await journal.redis.zrangebyscore(`${journal.base}:uncollected`, '-inf', now, 'LIMIT', 0, sweepBatch)
  for (const key of keys) {
    const [flow, generation, attempts, outcome] = await journal.redis.hmget(
      `${journal.base}:m:${key}`,
      'flow',
      'generation',
      'attempts',
      'outcome',
    )
    const notice = noticeMessage(
      journal,
      {
        kind: 'error',
        flow: flow ?? 'unknown',
        messageKey: key,
        code: 'reply-uncollected',
        summary: `The result ${outcome ?? ''} of a message was not collected by its sender.`,
        attempts: Number(attempts ?? 0),
        occurredAt: new Date(now).toISOString(),
        next: 'The sender may not know the result. It gets it when it sends the message again.',
      },
      Number(generation ?? 0),
    )
    const named = { key, due: true, notices: [notice.fields], now, watchMs, collectMs }
    const { notified } = JSON.parse(String(await journal.run('collect', named, ['', notice.sealed]))) as {
      notified?: boolean
    }
    if (notified) await enqueueDue(journal, [notice])
  }
}

/** Forgets settled messages, spent payloads and old audit entries. */
export async function trimExpired(journal: Journal): Promise<void> {
  const now = journal.clock()
  const { messagesDays, payloadHours, auditDays } = journal.retention
  const spent = await expired(journal, `${journal.base}:spent`, now - payloadHours * hourMs)
  for (const key of spent) await trim(journal, key, true)
  for (const flow of flowIds) {
    for (const state of settledStates) {
      const old = await expired(journal, `${journal.base}:s:${flow}:${state}`, now - messagesDays * dayMs)
      for (const key of old) await trim(journal, key, false)
    }
  }
  await journal.redis.xtrim(`${journal.base}:audit`, 'MINID', now - auditDays * dayMs)
}

const expired = (journal: Journal, zset: string, before: number) =>
  journal.redis.zrangebyscore(zset, '-inf', before, 'LIMIT', 0, sweepBatch)

async function trim(journal: Journal, key: string, payloadOnly: boolean): Promise<void> {
  const named = { key, payloadOnly, now: journal.clock(), watchMs }
  const gone = JSON.parse(String(await journal.run('trim', named))) as { ref?: string; run?: string; flow?: FlowId }
  if (gone.ref) await journal.payloads.remove(gone.ref)
  if (gone.run && gone.flow) await journal.queues.remove(gone.flow, gone.run)
}
