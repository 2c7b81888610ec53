import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { rerunMessage } from '../src/operations.ts'
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

  it('count a call of unknown outcome as answered: an older message does not follow it', async () => {
    await using harness = await openHarness()
    const calls: string[] = []
    await harness.work(
      [
        {
          ...oneCall('stage-status', async (attempt) => {
            calls.push(attempt.id)
            throw callError(attempt.id === 'create' ? 'failed' : 'unknown')
          }),
          giveUp: () => dead,
        },
      ],
      { spec: quickly(0) },
    )
    await accept(harness.journal, stage('create'))
    await accept(harness.journal, stage('cancel'))
    await eventually(async () => (await field(harness.journal, 'stage-status.SITE1.cancel', 'state')) === 'dead')
    await accept(harness.journal, stage('create'))
    await eventually(async () => (await field(harness.journal, 'stage-status.SITE1.create', 'state')) === 'superseded')
    expect(calls).toEqual(['create', 'cancel'])
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
