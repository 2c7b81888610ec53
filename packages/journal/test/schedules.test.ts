import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '@tieline/testkit/eventually'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listMessages, readStoredPayload, showMessage } from '../src/operations.ts'
import { startRun, transferKey } from '../src/transfers/runs.ts'
import { applySchedules, pauseSchedule, startScheduler, tellMissedRuns } from '../src/transfers/schedules.ts'
import type { Attempt, Processor } from '../src/types.ts'
import { openHarness, succeeded, type Tables } from './harness.ts'

const transfer = { name: 'nightly', source: 'DACS_FILES' }
const key = transferKey(transfer)
const daily = { ...transfer, schedule: '0 5 * * *', timezone: 'America/Los_Angeles' }
const dayMs = 86_400_000

let nowMs = 0
let h: Awaited<ReturnType<typeof openHarness>>
beforeEach(async () => {
  nowMs = Date.now()
  h = await openHarness({ clock: () => nowMs })
})
afterEach(() => h[Symbol.asyncDispose]())

const next = async () => (await h.journal.queues.schedules.list())[0]?.nextAt ?? 0
const mails = async () => (await listMessages(h.journal, { flow: 'notification' })).length

const processor = (process: (attempt: Attempt) => Promise<void> = async () => undefined): Processor<Tables> => ({
  flow: 'device-score',
  async process(attempt) {
    await process(attempt)
    return { ...succeeded, files: { sent: 1, failed: 0, left: 0 } }
  },
  giveUp: () => ({ state: 'dead', outcome: 'FAILURE', code: 'internal' }),
})

describe('the schedules of an installation file', () => {
  it('are set once: doing it again, as every start does, moves no run that is due', async () => {
    await applySchedules(h.journal, [daily])
    const first = await next()
    expect(first).toBeGreaterThan(nowMs)
    expect(first).toBeLessThanOrEqual(nowMs + dayMs)
    const repeat = `{${h.journal.installation}}:schedules:repeat`
    await h.redis.zadd(repeat, first - 2 * dayMs, 'nightly')
    await applySchedules(h.journal, [daily])
    expect(await next()).toBe(first - 2 * dayMs)
  })

  it('follow a change of time, of zone and of name', async () => {
    await applySchedules(h.journal, [daily])
    const before = await next()
    await applySchedules(h.journal, [{ ...daily, schedule: '30 5 * * *' }])
    // Between the two times of day the next one is today's, not tomorrow's.
    expect(((await next()) - before + dayMs) % dayMs).toBe(30 * 60_000)
    await applySchedules(h.journal, [{ ...daily, timezone: 'Asia/Tokyo' }])
    expect(new Date(await next()).getUTCHours()).toBe(20)
    await applySchedules(h.journal, [{ ...daily, name: 'weekly' }])
    expect((await h.journal.queues.schedules.list()).map(({ name }) => name)).toEqual(['weekly'])
    await applySchedules(h.journal, [])
    expect(await h.journal.queues.schedules.list()).toEqual([])
  })
})

describe('a run that does not begin at its time', () => {
  it('is told of once, however often and by however many it is noticed', async () => {
    await applySchedules(h.journal, [daily])
    await tellMissedRuns(h.journal)
    expect(await mails()).toBe(0)
    nowMs = (await next()) + 60_000
    await tellMissedRuns(h.journal)
    expect(await mails()).toBe(0)
    nowMs += 120_000
    await Promise.all([tellMissedRuns(h.journal), tellMissedRuns(h.journal)])
    await tellMissedRuns(h.journal)
    const [mail, ...more] = await listMessages(h.journal, { flow: 'notification' })
    expect(more).toEqual([])
    expect(await readStoredPayload(h.journal, mail?.key ?? '')).toMatchObject({ kind: 'error', code: 'run-missed' })
  })

  it('is not told of while the transfer is paused', async () => {
    await applySchedules(h.journal, [daily])
    await pauseSchedule(h.journal, transfer, { who: 'ops', why: 'upgrade' })
    nowMs += 3 * dayMs
    await tellMissedRuns(h.journal)
    expect(await mails()).toBe(0)
  })

  it('begins late, once, when a worker comes', async () => {
    await applySchedules(h.journal, [{ ...daily, schedule: '* * * * * *' }])
    const due = await next()
    // The guarantee is about a time that has passed.
    await delay(Math.max(0, due - Date.now()) + 100)
    // Nobody has taken the job of the schedule yet.
    expect(await h.redis.zcard(`{${h.journal.installation}}:schedules:delayed`)).toBe(1)
    nowMs = due + 600_000
    const ran: number[] = []
    await h.work([processor(async ({ generation }) => void ran.push(generation))])
    await using scheduler = await startScheduler(h.journal, h.redis, () => [transfer])
    expect(scheduler).toBeDefined()
    await eventually(() => ran.length >= 1)
    expect(await mails()).toBe(1)
  })
})

describe('a run', () => {
  it('is not started while another goes on', async () => {
    const started = Promise.withResolvers<void>()
    const going = Promise.withResolvers<void>()
    await h.work([
      processor(() => {
        started.resolve()
        return going.promise
      }),
    ])
    expect(await startRun(h.journal, { transfer, who: 'test' })).toEqual({ kind: 'started', key, generation: 1 })
    await started.promise
    expect(await startRun(h.journal, { transfer, who: 'test' })).toEqual({ kind: 'busy', key, since: nowMs })
    expect(await startRun(h.journal, { transfer, file: 'a', who: 'test' })).toMatchObject({ kind: 'busy' })
    going.resolve()
    await eventually(async () => (await showMessage(h.journal, key))?.state === 'succeeded')
    expect(await startRun(h.journal, { transfer, who: 'test' })).toMatchObject({ kind: 'started', generation: 2 })
  })

  it('serves everybody who asked before it began, but one of a single file serves nobody', async () => {
    await h.work([processor()])
    const ended = (generation: number) =>
      eventually(async () => {
        const run = await showMessage(h.journal, key)
        return run?.generation === generation && run.state === 'succeeded'
      })
    await startRun(h.journal, { transfer, file: 'a', who: 'test' })
    await ended(1)
    expect(await startRun(h.journal, { transfer, notBefore: nowMs - 10, who: 'schedule' })).toMatchObject({
      kind: 'started',
      generation: 2,
    })
    await ended(2)
    expect(await startRun(h.journal, { transfer, notBefore: nowMs - 10, who: 'schedule' })).toEqual({
      kind: 'served',
      key,
    })
    nowMs += 1_000
    expect(await startRun(h.journal, { transfer, notBefore: nowMs - 10, who: 'schedule' })).toMatchObject({
      kind: 'started',
    })
  })

  it('takes over a dead letter, whose ticket goes', async () => {
    let fails = true
    await h.work([
      {
        ...processor(),
        async process() {
          return fails
            ? { state: 'dead', outcome: 'FAILURE', code: 'target-unreachable' }
            : { ...succeeded, files: { sent: 0, failed: 0, left: 0 } }
        },
      },
    ])
    await startRun(h.journal, { transfer, who: 'test' })
    await eventually(async () => (await showMessage(h.journal, key))?.state === 'dead')
    fails = false
    await startRun(h.journal, { transfer, who: 'test' })
    await eventually(async () => (await showMessage(h.journal, key))?.state === 'succeeded')
    await eventually(async () => {
      const queue = h.journal.queues.all.find(({ name }) => name === 'device-score')
      return (await queue?.getFailedCount()) === 0
    })
  })
})
