import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { reviveLost } from '../src/kernel/sweeper.ts'
import { showMessage } from '../src/operations.ts'
import { answer, callError, field, incoming, oneCall, openHarness, sentTwice } from './harness.ts'

const soonMs = 8_000

describe('a script that Redis gets twice', () => {
  it('counts one failure, notes one call, and leaves the next attempt its job', async () => {
    await using harness = await openHarness()
    const fates = [callError('failed'), callError('unknown'), undefined]
    let calls = 0
    await harness.work(
      [
        oneCall('stage-status', async () => {
          const fate = fates[calls++]
          if (fate) throw fate
          return answer()
        }),
      ],
      { journal: sentTwice(harness.journal) },
    )
    const message = incoming('stage-status', 'twice')
    await accept(harness.journal, message)
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded', soonMs)
    expect(await field(harness.journal, message.key, 'failures')).toBe('2')
    const timeline = (await showMessage(harness.journal, message.key))?.timeline ?? []
    expect(timeline.map(({ what }) => what)).toEqual([
      'accepted',
      ...['attempt', 'called', 'retry'],
      ...['attempt', 'called', 'retry'],
      ...['attempt', 'called', 'settled'],
    ])
  })

  it('moves the line on at once', async () => {
    await using harness = await openHarness()
    const order: string[] = []
    await harness.work([oneCall('stage-status', async ({ id }) => answer(order.push(id)))], {
      journal: sentTwice(harness.journal),
    })
    const ids = ['a', 'b', 'c']
    for (const id of ids) await accept(harness.journal, incoming('stage-status', id, { line: 'L' }))
    await eventually(() => order.length === 3, soonMs)
    expect(order).toEqual(ids)
  })

  it('lets a changed payload follow the attempt that it superseded at once', async () => {
    await using harness = await openHarness()
    const gate = Promise.withResolvers<void>()
    const seen: unknown[] = []
    await harness.work(
      [
        oneCall('stage-status', async ({ payload }) => {
          seen.push(payload)
          if (seen.length === 1) await gate.promise
          return answer()
        }),
      ],
      { journal: sentTwice(harness.journal) },
    )
    const first = incoming('stage-status', 'changed')
    await accept(harness.journal, first)
    await eventually(() => seen.length === 1)
    await accept(harness.journal, { ...first, payload: 'new', hash: 'new' })
    gate.resolve()
    await eventually(async () => (await field(harness.journal, first.key, 'state')) === 'succeeded', soonMs)
    expect(seen).toEqual([first.payload, 'new'])
  })

  it('revives a lost message at once', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    const message = incoming('stage-status', 'lost')
    await accept(harness.journal, message)
    const lost = String(await field(harness.journal, message.key, 'run'))
    await harness.journal.queues.remove('stage-status', lost)
    now += 20_000
    await reviveLost(sentTwice(harness.journal))
    const run = String(await field(harness.journal, message.key, 'run'))
    expect(run).not.toBe(lost)
    expect(await harness.journal.queues.alive([{ flow: 'stage-status', run }])).toEqual([true])
  })
})
