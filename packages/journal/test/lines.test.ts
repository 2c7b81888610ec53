import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { rerunAll } from '../src/bulk.ts'
import { accept } from '../src/intake.ts'
import { discardDeadLetter, listMessages, rerunMessage } from '../src/operations.ts'
import { answer, callError, dead, field, incoming, oneCall, openHarness, quickly } from './harness.ts'

const stage = (id: string, line = '1315') => incoming('stage-status', id, { line })

describe('messages of one line', () => {
  it('run singly and as they were first accepted, also with many workers', async () => {
    await using harness = await openHarness()
    const order: string[] = []
    let running = 0
    const processor = oneCall('stage-status', async (attempt) => {
      expect(++running).toBe(1)
      order.push(attempt.id)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return answer()
    })
    await Promise.all([harness.work([processor]), harness.work([processor]), harness.work([processor])])
    const ids = Array.from({ length: 20 }, (_, i) => `m${i}`)
    for (const id of ids) await accept(harness.journal, stage(id))
    await eventually(
      async () => (await harness.redis.zcard(`${harness.journal.base}:s:stage-status:succeeded`)) === ids.length,
    )
    expect(order).toEqual(ids)
  })

  it('wait while their head is retried; other lines go on', async () => {
    await using harness = await openHarness()
    const order: string[] = []
    const fate = { failing: true }
    await harness.work(
      [
        oneCall('stage-status', async (attempt) => {
          if (attempt.id === 'create' && fate.failing) throw callError('failed')
          order.push(attempt.id)
          return answer()
        }),
      ],
      { spec: quickly(60) },
    )
    await accept(harness.journal, stage('create'))
    await accept(harness.journal, stage('cancel'))
    await accept(harness.journal, stage('other', '9999'))
    await eventually(() => order.includes('other'))
    expect(await field(harness.journal, 'stage-status.SITE1.cancel', 'state')).toBe('waiting')
    fate.failing = false
    await eventually(() => order.length === 3)
    expect(order).toEqual(['other', 'create', 'cancel'])
  })

  it('go on when their head is dead, and its resubmission is refused once a later one was answered', async () => {
    await using harness = await openHarness()
    const calls: string[] = []
    const ends: string[] = []
    await harness.work(
      [
        {
          ...oneCall('stage-status', async (attempt) => {
            calls.push(attempt.id)
            if (attempt.id === 'create') throw callError('failed')
            return answer()
          }),
          giveUp: (_attempt, error) => {
            ends.push(error.code)
            return error.code === 'superseded' ? { ...dead, outcome: 'ERROR' } : dead
          },
        },
      ],
      { spec: quickly(0) },
    )
    await accept(harness.journal, stage('create'))
    await accept(harness.journal, stage('cancel'))
    await eventually(async () => (await field(harness.journal, 'stage-status.SITE1.cancel', 'state')) === 'succeeded')
    expect(
      await rerunMessage(harness.journal, 'stage-status.SITE1.create', { who: 'ops', why: 'again' }),
    ).toMatchObject({ kind: 'ok' })
    await eventually(async () => (await field(harness.journal, 'stage-status.SITE1.create', 'state')) === 'superseded')
    expect(await field(harness.journal, 'stage-status.SITE1.create', 'outcome')).toBe('ERROR')
    expect(calls).toEqual(['create', 'cancel'])
    expect(ends).toEqual(['target-unreachable', 'superseded'])
  })

  it('are answered only by what the target confirmed or refused: after an unknown end an older one may follow', async () => {
    await using harness = await openHarness()
    const calls: string[] = []
    await harness.work(
      [
        oneCall('stage-status', async (attempt) => {
          calls.push(attempt.id)
          if (attempt.generation === 1) throw callError('unknown')
          return answer()
        }),
      ],
      { spec: quickly(0) },
    )
    await accept(harness.journal, stage('create'))
    await accept(harness.journal, stage('cancel'))
    await becomes(harness, 'cancel', 'dead')
    await accept(harness.journal, stage('create'))
    await becomes(harness, 'create', 'succeeded')
    expect(calls).toEqual(['create', 'cancel', 'create'])
  })

  it('let a repeat of an older message wait for the one that runs', async () => {
    await using harness = await openHarness()
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    await harness.work([
      oneCall('enrollment-sync', async (attempt) => {
        order.push(`${attempt.id}#${attempt.generation}`)
        if (attempt.id === 'second') await gate.promise
        if (attempt.id === 'first' && attempt.generation === 1) throw callError('refused')
        return answer()
      }),
    ])
    const sync = (id: string) => incoming('enrollment-sync', id, { line: '7712' })
    await accept(harness.journal, sync('first'))
    await eventually(async () => (await field(harness.journal, sync('first').key, 'state')) === 'refused')
    await accept(harness.journal, sync('second'))
    await eventually(() => order.includes('second#1'))
    await accept(harness.journal, sync('first'))
    expect(await field(harness.journal, sync('first').key, 'state')).toBe('waiting')
    gate.resolve()
    await eventually(() => order.length === 3)
    expect(order).toEqual(['first#1', 'second#1', 'first#2'])
  })
})

describe('an older message that comes back', () => {
  /** Two dead letters of one line; no worker runs yet. */
  async function openWithDead() {
    const harness = await openHarness()
    const calls: string[] = []
    const gates = new Map<string, Promise<void>>()
    const fate = { failing: true }
    const processor = oneCall('stage-status', async (attempt) => {
      calls.push(attempt.id)
      await gates.get(attempt.id)
      if (fate.failing) throw callError('unknown')
      return answer()
    })
    {
      await using _worker = await harness.work([processor], { spec: quickly(0) })
      for (const id of ['create', 'cancel']) await accept(harness.journal, stage(id))
      await becomes(harness, 'cancel', 'dead')
      await eventually(async () => (await queueOf(harness)?.getFailedCount()) === 2)
    }
    calls.length = 0
    return { harness, processor, calls, gates, fate, [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose]() }
  }
  const rerun = ({ journal }: Harness, id: string) =>
    rerunMessage(journal, stage(id).key, { who: 'ops', why: 'DACS is back', onlyDead: true })

  it('goes before a later one that has not run yet', async () => {
    await using world = await openWithDead()
    const { harness, calls } = world
    world.fate.failing = false
    for (const id of ['cancel', 'create']) expect(await rerun(harness, id)).toMatchObject({ kind: 'ok' })
    expect(await field(harness.journal, stage('cancel').key, 'state')).toBe('waiting')
    await harness.work([world.processor], { spec: quickly(0) })
    await becomes(harness, 'cancel', 'succeeded')
    expect(calls).toEqual(['create', 'cancel'])
  })

  it('goes before a later one that waits for its next attempt', async () => {
    await using world = await openWithDead()
    const { harness, calls, fate } = world
    const retry = { retryForS: 600, firstDelayMs: 300_000, capDelayMs: 300_000 }
    await harness.work([world.processor], { spec: quickly(0, { retry }) })
    await rerun(harness, 'cancel')
    await becomes(harness, 'cancel', 'retrying')
    fate.failing = false
    await rerun(harness, 'create')
    await becomes(harness, 'cancel', 'succeeded')
    expect(calls).toEqual(['cancel', 'create', 'cancel'])
    await eventually(async () => (await queueOf(harness)?.getDelayedCount()) === 0)
  })

  it('goes before a later one that is being worked on, once its attempt has failed', async () => {
    await using world = await openWithDead()
    const { harness, calls, fate, gates } = world
    const gate = Promise.withResolvers<void>()
    gates.set('cancel', gate.promise)
    await harness.work([world.processor], { spec: quickly(600) })
    await rerun(harness, 'cancel')
    await eventually(() => calls.length === 1)
    await rerun(harness, 'create')
    expect(await field(harness.journal, stage('create').key, 'state')).toBe('waiting')
    gate.resolve()
    await eventually(() => calls.length >= 2)
    expect(calls.slice(0, 2)).toEqual(['cancel', 'create'])
    fate.failing = false
    await becomes(harness, 'cancel', 'succeeded')
    expect(await field(harness.journal, stage('create').key, 'state')).toBe('succeeded')
  })

  it('is resubmitted with others in the order of first acceptance, whatever the order of their deaths', async () => {
    await using world = await openWithDead()
    const { harness, processor, calls, fate } = world
    {
      // The older one dies once more, and so last.
      await using _worker = await harness.work([processor], { spec: quickly(0) })
      await rerun(harness, 'create')
      await eventually(() => calls.length === 1)
      await becomes(harness, 'create', 'dead')
    }
    calls.length = 0
    fate.failing = false
    const dead = await listMessages(harness.journal, { state: 'dead' })
    expect(dead.map(({ id }) => id)).toEqual(['create', 'cancel'])
    await harness.work([processor], { spec: quickly(0) })
    const { done } = await rerunAll(harness.journal, dead.toReversed(), { who: 'ops', why: 'back', onlyDead: true })
    expect(done).toBe(2)
    await becomes(harness, 'cancel', 'succeeded')
    expect(calls).toEqual(['create', 'cancel'])
  })

  it('keeps a later one out of a bulk that it is not in itself, as long as it is dead', async () => {
    await using world = await openWithDead()
    const { harness } = world
    const dead = await listMessages(harness.journal, { state: 'dead' })
    const later = dead.filter(({ id }) => id === 'cancel')
    const how = { who: 'ops', why: 'back', onlyDead: true }
    expect(await rerunAll(harness.journal, later, how)).toEqual({ done: 0, refused: new Map([['older-dead', 1]]) })
    await discardDeadLetter(harness.journal, stage('create').key, how)
    expect(await rerunAll(harness.journal, later, how)).toEqual({ done: 1, refused: new Map() })
  })
})

type Harness = Awaited<ReturnType<typeof openHarness>>

const becomes = ({ journal }: Harness, id: string, state: string) =>
  eventually(async () => (await field(journal, stage(id).key, 'state')) === state)

const queueOf = ({ journal }: Harness) => journal.queues.all.find(({ name }) => name === 'stage-status')
