import { type FlowId, flowIds } from '@tieline/contracts/flows'
import type { Journal } from '../journal.ts'
import { openStates } from '../schema.ts'

/** Clocks of machines differ by less. So what was written further ahead was written before the clock went back. */
const aheadMs = 60_000

const batch = 500

/**
 * What waits for a time that was reckoned before the clock went back would wait until it has come forward again, for an hour
 * perhaps. It waits as long as it was meant to, from now on.
 */
export async function followClock(journal: Journal): Promise<void> {
  const pipeline = journal.redis.pipeline()
  const sets = flowIds.flatMap((flow) => openStates.map((state) => ({ flow, set: `:s:${flow}:${state}` })))
  const ahead = journal.clock() + aheadMs
  for (const { set } of sets) pipeline.zcount(`${journal.base}${set}`, ahead, '+inf')
  const counts = (await pipeline.exec()) ?? []
  for (const [i, { flow, set }] of sets.entries()) {
    const [error, count] = counts[i] ?? []
    if (error) throw error
    for (let left = Number(count); left > 0; left -= batch) await followIn(journal, flow, set)
  }
}

async function followIn(journal: Journal, flow: FlowId, set: string): Promise<void> {
  const ahead = journal.clock() + aheadMs
  const keys = await journal.redis.zrangebyscore(`${journal.base}${set}`, ahead, '+inf', 'LIMIT', 0, batch)
  const waits = await Promise.all(keys.map((key) => readWait(journal, key)))
  await journal.queues.delay(waits.map(({ run, delayMs }) => ({ flow, run, delayMs })))
  const restamp = ({ key, delayMs }: Wait) => journal.run('restamp', { key, from: set, delayMs })
  await Promise.all(waits.map(restamp))
}

interface Wait {
  readonly key: string
  readonly run: string
  /** How long it was meant to wait. */
  readonly delayMs: number
}

async function readWait(journal: Journal, key: string): Promise<Wait> {
  const [run, stateAt, nextAt] = await journal.redis.hmget(`${journal.base}:m:${key}`, 'run', 'stateAt', 'nextAt')
  return { key, run: run ?? '', delayMs: nextAt ? Math.max(0, Number(nextAt) - Number(stateAt)) : 0 }
}
