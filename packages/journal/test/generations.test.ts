import { flowSpec } from '@tieline/contracts/flows'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { rerunMessage, showMessage } from '../src/operations.ts'
import { answer, callError, dead, field, incoming, oneCall, openHarness, targetThat } from './harness.ts'

const settled = (harness: Awaited<ReturnType<typeof openHarness>>, key: string, state: string) =>
  eventually(async () => (await field(harness.journal, key, 'state')) === state)

describe('a repeat of a message', () => {
  it('that is sent twice at once runs once', async () => {
    await using harness = await openHarness()
    let calls = 0
    const message = incoming('stage-status', 'twice')
    const both = await Promise.all([accept(harness.journal, message), accept(harness.journal, message)])
    expect(both.map(({ kind }) => kind).sort()).toEqual(['attached', 'new'])
    await harness.work([oneCall('stage-status', async () => answer({ n: ++calls }))])
    await settled(harness, message.key, 'succeeded')
    expect(calls).toBe(1)
  })

  it('after success gets the stored reply without a call', async () => {
    await using harness = await openHarness()
    let calls = 0
    const message = incoming('stage-status', 'again')
    await harness.work([oneCall('stage-status', async () => answer({ n: ++calls }))])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(await accept(harness.journal, message)).toMatchObject({
      kind: 'replayed',
      reply: { status: 200, body: 'done' },
    })
    expect(calls).toBe(1)
  })

  it('after the replay window runs a new generation, which sends nothing that is confirmed', async () => {
    let now = Date.now()
    await using harness = await openHarness({ clock: () => now })
    let calls = 0
    const message = incoming('enrollment-request', 'late')
    await harness.work([oneCall('enrollment-request', async () => answer({ n: ++calls }))])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    now += 25 * 3_600_000
    expect(await accept(harness.journal, message)).toMatchObject({ kind: 'again', generation: 2 })
    await eventually(async () => (await field(harness.journal, message.key, 'generation')) === '2')
    await settled(harness, message.key, 'succeeded')
    expect(calls).toBe(1)
  })

  it('after its acknowledgment has come is new work', async () => {
    await using harness = await openHarness()
    await harness.work([oneCall('enrollment-sync', async () => answer())])
    const sync = incoming('enrollment-sync', '15449036987849')
    await accept(harness.journal, sync)
    await settled(harness, sync.key, 'succeeded')
    await accept(
      harness.journal,
      incoming('enrollment-sync-ack', 'ack', { answers: { flow: 'enrollment-sync', terms: ['15449036987849'] } }),
    )
    expect(await accept(harness.journal, sync)).toMatchObject({ kind: 'again', generation: 2 })
  })

  it('after a failure runs again and withdraws the dead letter', async () => {
    await using harness = await openHarness()
    const fate = { failing: true }
    const message = incoming('device-status-ack', 'retry')
    await harness.work([
      oneCall('device-status-ack', async () => {
        if (fate.failing) throw callError('refused')
        return answer()
      }),
    ])
    await accept(harness.journal, message)
    await settled(harness, message.key, 'refused')
    fate.failing = false
    expect(await accept(harness.journal, message)).toMatchObject({ kind: 'again' })
    await settled(harness, message.key, 'succeeded')
  })

  it('takes the ticket of a dead letter out of the failed set', async () => {
    await using harness = await openHarness()
    const fate = { failing: true }
    const message = incoming('device-status-ack', 'ticket')
    const spec = { retryForS: 0 }
    await harness.work(
      [
        oneCall('device-status-ack', async () => {
          if (fate.failing) throw callError('failed')
          return answer()
        }),
      ],
      { spec: (flow) => ({ ...flowSpec(flow), retry: { ...spec, firstDelayMs: 20, capDelayMs: 20 } }) },
    )
    await accept(harness.journal, message)
    await settled(harness, message.key, 'dead')
    const queue = harness.journal.queues.all.find(({ name }) => name === 'device-status-ack')
    await eventually(async () => (await queue?.getFailedCount()) === 1)
    fate.failing = false
    await accept(harness.journal, message)
    await settled(harness, message.key, 'succeeded')
    expect(await queue?.getFailedCount()).toBe(0)
    const whats = (await showMessage(harness.journal, message.key))?.timeline.map(({ what }) => what)
    expect(whats).toContain('resolved')
  })

  it('with another payload starts anew, and a running attempt makes no further call', async () => {
    await using harness = await openHarness()
    const calls: unknown[] = []
    const gate = Promise.withResolvers<void>()
    const first = incoming('stage-status', 'changed')
    await harness.work([
      {
        flow: 'stage-status',
        async process(attempt) {
          for (const id of ['one', 'two']) {
            const target = targetThat(async () => {
              calls.push([id, attempt.payload])
              if (calls.length === 1) await gate.promise
              return answer()
            })
            await attempt.call(id, target, id, {})
          }
          return { state: 'succeeded', outcome: 'SUCCESS' }
        },
        giveUp: () => ({ state: 'dead', outcome: 'FAILURE' }),
      },
    ])
    await accept(harness.journal, first)
    await eventually(() => calls.length === 1)
    const second = { ...first, payload: { messageId: 'changed', version: 2 }, hash: 'other' }
    expect(await accept(harness.journal, second)).toMatchObject({ kind: 'changed', generation: 2 })
    expect(await field(harness.journal, first.key, 'state')).toBe('waiting')
    gate.resolve()
    await settled(harness, first.key, 'succeeded')
    expect(calls).toEqual([
      ['one', first.payload],
      ['one', second.payload],
      ['two', second.payload],
    ])
  })
  it('keeps a choice that ids of calls depend on for as long as it keeps the calls, and no other choice', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('event-outcome', 'sizes')
    const seen: string[] = []
    await harness.work([
      {
        flow: 'event-outcome',
        async process(attempt) {
          const connection = await attempt.pin('dacs', () => `DACS_${attempt.generation}`)
          const size = await attempt.pin('segmentRows', () => `${attempt.generation}00`, { keep: true })
          seen.push(`${connection} ${size}`)
          return dead
        },
        giveUp: () => dead,
      },
    ])
    const ended = (count: number) =>
      eventually(async () => seen.length === count && (await field(journal, message.key, 'state')) === 'dead')
    await accept(journal, message)
    await ended(1)
    await accept(journal, message)
    await ended(2)
    await rerunMessage(journal, message.key, { who: 'ana', why: 'once more' })
    await ended(3)
    await rerunMessage(journal, message.key, { who: 'ana', why: 'all of it', fromStart: true })
    await ended(4)
    await accept(journal, { ...message, hash: 'other' })
    await ended(5)
    expect(seen).toEqual(['DACS_1 100', 'DACS_2 100', 'DACS_3 100', 'DACS_4 400', 'DACS_5 500'])
  })
})
