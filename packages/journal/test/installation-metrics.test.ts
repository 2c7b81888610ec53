import { backoff, TielineError } from '@tieline/runtime/error'
import { connectWorker } from '@tieline/runtime/redis'
import { eventually } from '@tieline/testkit/eventually'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readInstallation } from '../src/installation-facts.ts'
import { registerInstallationMetrics } from '../src/installation-metrics.ts'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { rerunMessage } from '../src/operations.ts'
import { applySchedules, tellMissedRuns } from '../src/transfers/schedules.ts'
import type { Processor } from '../src/types.ts'
import { dead, field, incoming, logger, openHarness, quickly, succeeded, type Tables } from './harness.ts'

const flow = 'enrollment-sync-ack'
const nightly = { name: 'nightly', source: 'DACS_FILES', schedule: '0 5 * * *', timezone: 'UTC' }

let nowMs = 0
let h: Awaited<ReturnType<typeof openHarness>>
beforeEach(async () => {
  nowMs = 1_000_000
  h = await openHarness({ clock: () => nowMs })
})
afterEach(() => h[Symbol.asyncDispose]())

const factsOf = async () => {
  const { flows } = await readInstallation(h.journal, [])
  return flows.find((facts) => facts.flow === flow)
}

it('the oldest open message is the one accepted first, whatever it went through, until it is settled', async () => {
  let isMended = false
  const processor: Processor<Tables> = {
    flow,
    async process({ id }) {
      if (id === 'first' && !isMended) throw new TielineError('target-error', backoff, 'down')
      return id === 'second' ? dead : succeeded
    },
    giveUp: () => dead,
  }
  const [first, second] = [incoming(flow, 'first'), incoming(flow, 'second')]
  await accept(h.journal, first)
  const acceptedAt = nowMs
  nowMs += 5_000
  await accept(h.journal, second)
  expect(await factsOf()).toMatchObject({ oldestOpenAt: acceptedAt, counts: { accepted: 2 } })

  await h.work([processor], { spec: quickly(60) })
  await eventually(async () => Number(await field(h.journal, first.key, 'attempts')) > 2)
  await eventually(async () => (await field(h.journal, second.key, 'state')) === 'dead')
  expect((await factsOf())?.oldestOpenAt).toBe(acceptedAt)
  isMended = true
  await eventually(async () => (await field(h.journal, first.key, 'state')) === 'succeeded')
  expect(await factsOf()).toMatchObject({ counts: { dead: 1, succeeded: 1 } })
  expect((await factsOf())?.oldestOpenAt).toBeUndefined()
})

it('a message that is run again is as old as that run', async () => {
  const message = incoming(flow, 'again')
  await accept(h.journal, message)
  const workers = await h.work([{ flow, process: async () => succeeded, giveUp: () => dead }])
  await eventually(async () => (await field(h.journal, message.key, 'state')) === 'succeeded')
  await workers[Symbol.asyncDispose]()
  nowMs += 60_000
  await rerunMessage(h.journal, message.key, { who: 'ops', why: 'mended' })
  expect((await factsOf())?.oldestOpenAt).toBe(nowMs)
})

it('a run that is missed counts once, however many notice it', async () => {
  await applySchedules(h.journal, [nightly])
  const [scheduler] = await h.journal.queues.schedules.list()
  nowMs = (scheduler?.nextAt ?? 0) + 180_000
  await Promise.all([tellMissedRuns(h.journal), tellMissedRuns(h.journal)])
  await tellMissedRuns(h.journal)
  const { transfers } = await readInstallation(h.journal, [nightly])
  expect(transfers).toMatchObject([{ name: 'nightly', missed: 1 }])
})

/** What one look at the metrics shows of a journal, without the explanations. */
async function look(journal: Journal | undefined): Promise<string[]> {
  const register = new Registry()
  registerInstallationMetrics(register, { journal: () => journal, transfers: () => [] })
  return (await register.metrics()).split('\n').filter((line) => /^[a-z]/.test(line))
}

it('without Redis a process says that it does not know, and shows no number that is not so', async () => {
  expect(await look(undefined)).toEqual(['tieline_journal_up 0'])
  const redis = connectWorker('redis://127.0.0.1:1', logger)
  expect(await look({ ...h.journal, redis })).toEqual(['tieline_journal_up 0'])
  redis.disconnect()
  await h.redis.ping()
  expect(await look(h.journal)).toContain('tieline_journal_up 1')
})
