import type { Notice } from '@tieline/contracts/notice'
import { eventually } from '@tieline/testkit/eventually'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { AttemptLost } from '../src/kernel/pen.ts'
import { trimExpired } from '../src/kernel/sweeper.ts'
import { joinWindow } from '../src/mail/windows.ts'
import { rerunMessage } from '../src/operations.ts'
import { openRecords } from '../src/transfers/recorded.ts'
import type { Attempt, Processor } from '../src/types.ts'
import {
  answer,
  callError,
  dead,
  field,
  incoming,
  openHarness,
  quickly,
  sentTwice,
  succeeded,
  type Tables,
  targetThat,
} from './harness.ts'

const message = incoming('stage-status', 'recording')

const notice = (file: string): Notice => ({
  kind: 'error',
  flow: 'stage-status',
  messageKey: message.key,
  code: 'target-error',
  summary: 'It failed',
  occurredAt: '2026-03-01T02:00:00.000Z',
  next: 'Nothing',
  file,
})

/** Works on one message, one step an attempt; after each but the last the attempt fails. */
async function openRecording(steps: ((attempt: Attempt) => Promise<unknown>)[], wrap = (journal: Journal) => journal) {
  let now = Date.now()
  const harness = await openHarness({ clock: () => now })
  const processor: Processor<Tables> = {
    flow: 'stage-status',
    async process(attempt) {
      await steps.shift()?.(attempt)
      if (steps.length > 0 && attempt.generation === 1) throw callError('failed')
      return succeeded
    },
    giveUp: () => dead,
  }
  await harness.work([processor], { journal: wrap(harness.journal), sweepEveryMs: 3_600_000 })
  const ends = () => eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
  return {
    ...harness,
    async run() {
      await accept(harness.journal, message)
      await ends()
    },
    pass: (ms: number) => {
      now += ms
    },
    async rerun() {
      const how = { who: 'ops', why: 'test', fromStart: false }
      await eventually(async () => (await rerunMessage(harness.journal, message.key, how)).kind === 'ok')
      await ends()
    },
    stored: () => harness.redis.hgetall(`${harness.journal.base}:r:${message.key}`),
  }
}

const call = (attempt: Attempt, id: string, made: string[]) => {
  const target = targetThat(async () => {
    made.push(id)
    return answer()
  }, 'DERMS_SITE1')
  return attempt.call(id, target, 'send', {})
}

describe('what an attempt records', () => {
  it('is there for the later attempts of its generation, sealed, and gone with the next one', async () => {
    const seen: unknown[] = []
    const look = async (attempt: Attempt) => seen.push(Object.fromEntries(await openRecords(attempt).recorded()))
    const steps = [
      look,
      (attempt: Attempt) => openRecords(attempt).record('file.a', { became: 'planted' }),
      (attempt: Attempt) => openRecords(attempt).record('file.b', ['x']),
      (attempt: Attempt) => openRecords(attempt).record('file.b', ['y']),
      look,
      look,
    ]
    await using recording = await openRecording(steps)
    await recording.run()
    const stored = await recording.stored()
    expect(Object.keys(stored).sort()).toEqual(['file.a', 'file.b'])
    expect(JSON.stringify(stored)).not.toContain('planted')
    expect(seen).toEqual([
      {},
      { 'file.a': { became: 'planted' }, 'file.b': ['y'] },
      { 'file.a': { became: 'planted' }, 'file.b': ['y'] },
    ])

    steps.push(look)
    await recording.rerun()
    expect(seen.at(-1)).toEqual({})
  })

  it('cannot be taken for what was recorded under another name', async () => {
    await using recording = await openRecording([
      (attempt) => openRecords(attempt).record('a', 'x'),
      async (attempt) => {
        const key = `${recording.journal.base}:r:${message.key}`
        await recording.redis.hset(key, 'b', String(await recording.redis.hget(key, 'a')))
        await expect(openRecords(attempt).recorded()).rejects.toMatchObject({ code: 'payload-unreadable' })
      },
    ])
    await recording.run()
  })

  it('goes when its message is forgotten', async () => {
    await using recording = await openRecording([(attempt) => openRecords(attempt).record('a', 'x')])
    await recording.run()
    expect(Object.keys(await recording.stored())).toEqual(['a'])
    recording.pass(33 * 24 * 3_600_000)
    await trimExpired(recording.journal)
    expect(await keysMatching(recording.redis, `${recording.journal.base}:*:${message.key}`)).toEqual([])
  })

  it.each([
    ['once', (journal: Journal) => journal],
    ['to a Redis that gets it twice', sentTwice],
  ])('makes its mails due once, however often it is recorded, %s', async (_what, wrap) => {
    const record = (attempt: Attempt) =>
      openRecords(attempt).record('a', 'x', { notices: [notice('a.csv'), notice('b.csv')] })
    await using recording = await openRecording([record, record], wrap)
    await recording.run()
    const due = await keysMatching(recording.redis, `${recording.journal.base}:m:notification.*`)
    expect(due).toHaveLength(2)
    const runs = await Promise.all(due.map((key) => recording.redis.hget(key, 'run')))
    const jobs = runs.map((run) => ({ flow: 'notification' as const, run: String(run) }))
    expect(await recording.journal.queues.alive(jobs)).toEqual([true, true])
  })
})

describe('an effect', () => {
  it('that is forgotten is made again under the same id; the others are not', async () => {
    const made: string[] = []
    const ids: string[][] = []
    const send = async (attempt: Attempt) => {
      for (const id of ['a', 'b', 'c']) await call(attempt, id, made)
      ids.push((await attempt.effects()).map(({ id }) => id).sort())
    }
    await using recording = await openRecording([
      send,
      send,
      (attempt) => openRecords(attempt).record('a', 'sent', { forget: 'a' }),
      (attempt) => openRecords(attempt).forget(['b', 'never made']),
      (attempt) => openRecords(attempt).forget([]),
      async (attempt) => ids.push((await attempt.effects()).map(({ id }) => id)),
      send,
    ])
    await recording.run()
    expect(made).toEqual(['a', 'b', 'c', 'a', 'b'])
    expect(ids).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], ['c'], ['a', 'b', 'c']])
  })

  it('is kept beyond its generation, and told with its state', async () => {
    const made: string[] = []
    const send = (attempt: Attempt) => call(attempt, 'a', made)
    const steps = [send]
    await using recording = await openRecording(steps)
    await recording.run()
    steps.push(async (attempt) => {
      expect(await attempt.effects()).toMatchObject([
        { id: 'a', state: 'confirmed', operation: 'send', connection: 'DERMS_SITE1', tries: 1, status: 200 },
      ])
      return send(attempt)
    })
    await recording.rerun()
    expect(made).toEqual(['a'])
  })

  it('any number of them is forgotten at once', async () => {
    const ids = Array.from({ length: 9_000 }, (_, i) => `e${i}`)
    await using recording = await openRecording([
      (attempt) => call(attempt, 'e8999', []),
      (attempt) => openRecords(attempt).forget(ids),
      async (attempt) => expect(await attempt.effects()).toEqual([]),
    ])
    await recording.run()
  })
})

it('an attempt that lost its message records, forgets and joins nothing', async () => {
  const lost: unknown[] = []
  await using recording = await openRecording([
    async (attempt) => {
      await call(attempt, 'a', [])
      await recording.redis.hset(`${recording.journal.base}:m:${message.key}`, 'token', 'of another')
      const window = { id: 'w', periodMs: 60_000, about: notice('a'), entry: { summary: 'x', occurredAt: 'y' } }
      const writes = [
        () => openRecords(attempt).record('a', 'x', { notices: [notice('a.csv')], forget: 'a' }),
        () => openRecords(attempt).forget(['a']),
        () => joinWindow(attempt, window),
      ]
      for (const write of writes) lost.push(await write().catch((error: unknown) => error))
    },
  ])
  await accept(recording.journal, message)
  await eventually(() => lost.length === 3)
  for (const error of lost) expect(error).toBeInstanceOf(AttemptLost)
  const { base } = recording.journal
  expect(await recording.redis.hkeys(`${base}:e:${message.key}`)).toEqual(['a'])
  for (const pattern of ['r:*', 'm:notification.*', 'w:*', 'windows']) {
    expect(await keysMatching(recording.redis, `${base}:${pattern}`), pattern).toEqual([])
  }
})

it('the mail about a message that failed before says since when, one about a first failure does not', async () => {
  await using harness = await openHarness()
  const mails: Notice[] = []
  const { file: _, ...about } = notice('')
  const statuses: Processor<Tables> = {
    flow: 'stage-status',
    process: ({ id }) => Promise.reject(callError(id === 'once' ? 'refused' : 'failed')),
    giveUp: ({ key }) => ({ ...dead, notices: [{ ...about, messageKey: key }] }),
  }
  const notifications: Processor<Tables> = {
    flow: 'notification',
    async process({ payload }) {
      mails.push(payload as Notice)
      return succeeded
    },
    giveUp: () => dead,
  }
  await harness.work([statuses, notifications], { spec: quickly(0.2) })
  const startedAt = Date.now()
  for (const id of ['once', 'often']) await accept(harness.journal, incoming('stage-status', id))
  await eventually(() => mails.length === 2)
  const since = (id: string) => mails.find(({ messageKey }) => messageKey === `stage-status.SITE1.${id}`)?.since
  expect(since('once')).toBeUndefined()
  const often = Date.parse(String(since('often')))
  expect(often).toBeGreaterThanOrEqual(startedAt)
  expect(often).toBeLessThan(Date.now() - 100)
})
