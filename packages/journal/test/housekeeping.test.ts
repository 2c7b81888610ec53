import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { reviveLost, sweepOnce, trimExpired } from '../src/kernel/sweeper.ts'
import { findMessages } from '../src/operations.ts'
import type { Run } from '../src/script-calls.ts'
import { answer, callError, dead, field, incoming, oneCall, openHarness, quickly } from './harness.ts'

const dayMs = 24 * 3_600_000

describe('one sweep', () => {
  it('finds the lost message behind any number of waiting ones', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const ids = Array.from({ length: 1_200 }, (_, i) => `m${i}`)
    for (const id of ids) await accept(journal, incoming('stage-status', id))
    now += 1
    const lost = incoming('stage-status', 'lost')
    await accept(journal, lost)
    const run = String(await field(journal, lost.key, 'run'))
    await journal.queues.remove('stage-status', run)
    now += 20_000
    await reviveLost(journal)
    expect(await field(journal, lost.key, 'run')).not.toBe(run)
  })

  it('is not held up by entries of messages that are gone or of a flow it does not know', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const lost = incoming('stage-status', 'lost')
    await accept(journal, lost)
    const run = String(await field(journal, lost.key, 'run'))
    await journal.queues.remove('stage-status', run)
    const orphans = Array.from({ length: 600 }, (_, i) => [i, `gone${i}`]).flat()
    await harness.redis.zadd(`${journal.base}:open`, ...orphans)
    await harness.redis.zadd(`${journal.base}:uncollected`, ...orphans)
    await harness.redis.hset(`${journal.base}:m:gone7`, 'flow', 'of-tomorrow', 'state', 'accepted', 'run', 'r')
    now += 20_000
    await reviveLost(journal)
    expect(await field(journal, lost.key, 'run')).not.toBe(run)
    expect(await harness.redis.zcard(`${journal.base}:open`)).toBe(2)
  })

  it('does every chore, whichever of the others fails', async () => {
    await using harness = await openHarness({ clock: () => Date.now() + 2 * 3_600_000 })
    const { journal, redis } = harness
    // What the chores look at. All but one are broken, and that one has to be worked off.
    const sets = ['open', 'withdrawn', 'uncollected', 'pending', 'windows', 'recovering']
    const fill = (set: string) =>
      set === 'withdrawn' ? redis.sadd(`${journal.base}:${set}`, 'x') : redis.zadd(`${journal.base}:${set}`, 1, 'x')
    for (const sound of sets.filter((set) => set !== 'recovering')) {
      for (const set of sets) await redis.set(`${journal.base}:${set}`, 'broken')
      await redis.del(`${journal.base}:${sound}`)
      await fill(sound)
      await sweepOnce(journal)
      expect(await redis.exists(`${journal.base}:${sound}`), sound).toBe(0)
    }
  })
})

describe('a line', () => {
  it('that lost its holder gets one of its messages going again, and no other', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    for (const id of ['a', 'b']) await accept(journal, incoming('stage-status', id, { line: 'L' }))
    await harness.redis.zadd(`${journal.base}:l:stage-status.L`, 1, 'stage-status.SITE1.a')
    await harness.redis.hset(`${journal.base}:m:stage-status.SITE1.a`, 'state', 'waiting')
    now += 60_000
    await reviveLost(journal)
    const states = ['a', 'b'].map((id) => field(journal, `stage-status.SITE1.${id}`, 'state'))
    expect((await Promise.all(states)).sort()).toEqual(['accepted', 'waiting'])
  })
})

describe('what is past its retention', () => {
  it('goes as fast as it comes, however much there is', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const workers = await harness.work([oneCall('stage-status', async () => answer())], { concurrency: 100 })
    const ids = Array.from({ length: 600 }, (_, i) => `m${i}`)
    await Promise.all(ids.map((id) => accept(journal, incoming('stage-status', id))))
    const succeeded = `${journal.base}:s:stage-status:succeeded`
    await eventually(async () => (await harness.redis.zcard(succeeded)) === ids.length)
    await workers[Symbol.asyncDispose]()
    now += 25 * 3_600_000
    await trimExpired(journal)
    expect(await harness.redis.zcard(`${journal.base}:spent`)).toBe(0)
    now += 32 * dayMs
    await trimExpired(journal)
    expect(await harness.redis.zcard(succeeded)).toBe(0)
  })

  it('stays when it was run again after the look at the calendar', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const { journal } = harness
    const workers = await harness.work([oneCall('stage-status', async () => Promise.reject(callError('refused')))])
    const message = incoming('stage-status', 'rerun')
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'refused')
    now += 33 * dayMs
    const slow: Journal = {
      ...journal,
      async run(script, named, blobs) {
        if (script === 'trim') {
          await accept(journal, message)
          await eventually(async () => (await field(journal, message.key, 'generation')) === '2')
          await eventually(async () => (await field(journal, message.key, 'state')) === 'refused')
        }
        return journal.run(script, named, blobs)
      },
    }
    await trimExpired(slow)
    expect(await field(journal, message.key, 'state')).toBe('refused')
    await workers[Symbol.asyncDispose]()
  })
})

describe('the ticket of a dead letter', () => {
  it('goes also when the message was sent again before the ticket was filed', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('enrollment-sync-ack', 'quick')
    const fate = { failing: true }
    // The moment between the end of the message and the filing of its job.
    const add = async (run: Run) => {
      if (run.flow === 'notification' && fate.failing) {
        fate.failing = false
        await accept(journal, message)
      }
      await journal.queues.add(run)
    }
    const notice = {
      kind: 'error',
      flow: message.flow,
      messageKey: message.key,
      code: 'target-error',
      summary: 's',
      attempts: 1,
      occurredAt: '2026-11-22T00:00:00Z',
      next: 'n',
    } as const
    await harness.work(
      [
        oneCall('enrollment-sync-ack', async () => (fate.failing ? Promise.reject(callError('failed')) : answer()), {
          ...dead,
          notices: [notice],
        }),
      ],
      { spec: quickly(0), journal: { ...journal, queues: { ...journal.queues, add } } },
    )
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    const queue = journal.queues.all.find(({ name }) => name === 'enrollment-sync-ack')
    await eventually(async () => (await queue?.getActiveCount()) === 0)
    await sweepOnce(journal)
    expect(await queue?.getFailedCount()).toBe(0)
    expect(await harness.redis.exists(`${journal.base}:withdrawn`)).toBe(0)
  })
})

describe('a search term that is no valid text', () => {
  it('keeps no message from being accepted or settled', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const half = 'half \ud83d'
    const message = incoming('stage-status', 'odd', { terms: [half], division: half })
    await harness.work([
      {
        ...oneCall('stage-status', async () => answer()),
        process: async () => ({ state: 'succeeded', outcome: 'SUCCESS', terms: [`${half}!`] }),
      },
    ])
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded', 5_000)
    expect(await findMessages(journal, half)).toEqual([message.key])
    expect(await findMessages(journal, `${half}!`)).toEqual([message.key])
  })
})
