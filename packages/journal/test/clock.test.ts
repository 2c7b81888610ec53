import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { followClock } from '../src/kernel/follow-clock.ts'
import { showMessage } from '../src/operations.ts'
import type { Processor } from '../src/types.ts'
import { answer, callError, field, incoming, oneCall, openHarness, quickly, type Tables } from './harness.ts'

const hour = 3_600_000

/** The journal's clock; BullMQ goes by the machine's, so what it delays until the journal's future waits as if both went back. */
async function openAnHourAhead() {
  const clock = { aheadMs: hour }
  const harness = await openHarness({ clock: () => Date.now() + clock.aheadMs })
  return {
    harness,
    journal: harness.journal,
    goBack: () => {
      clock.aheadMs = 0
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

describe('a clock that goes back by an hour', () => {
  it('freezes no retry: it comes after the time it was meant to wait', async () => {
    await using world = await openAnHourAhead()
    const { harness, journal } = world
    const attempts: number[] = []
    const retry = { retryForS: 60, firstDelayMs: 500, capDelayMs: 500 }
    await harness.work(
      [
        oneCall('device-status-ack', async (attempt) => {
          attempts.push(Date.now())
          if (attempt.number < 3) throw callError('failed')
          return answer()
        }),
      ],
      { spec: quickly(0, { retry }), sweepEveryMs: 100 },
    )
    const message = incoming('device-status-ack', 'retried')
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'retrying')
    const wentBackAt = Date.now()
    world.goBack()
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
    expect(attempts).toHaveLength(3)
    expect((attempts[1] ?? 0) - wentBackAt).toBeGreaterThan(300)
    const seen = await showMessage(journal, message.key)
    expect(seen?.stateAt).toBeLessThanOrEqual(Date.now())
  })

  it('freezes no postponement that is reckoned from when the message was accepted', async () => {
    await using world = await openAnHourAhead()
    const { harness, journal } = world
    const processor: Processor<Tables> = {
      ...oneCall('enrollment-sync-ack', async () => answer()),
      async process(attempt) {
        if (journal.clock() < attempt.acceptedAt + 300) attempt.postpone(attempt.acceptedAt + 300)
        return { state: 'succeeded', outcome: 'SUCCESS' }
      },
    }
    await harness.work([processor], { sweepEveryMs: 100 })
    const message = incoming('enrollment-sync-ack', 'postponed')
    await accept(journal, message)
    await eventually(async () => (await field(journal, message.key, 'state')) === 'retrying')
    world.goBack()
    await eventually(async () => (await field(journal, message.key, 'state')) === 'succeeded')
  })

  it('freezes no reservation that waits for its stage', async () => {
    await using world = await openAnHourAhead()
    const { harness, journal } = world
    const gate = Promise.withResolvers<void>()
    await harness.work(
      [
        oneCall('stage-status', async () => {
          await gate.promise
          return answer()
        }),
        oneCall('event-reservation', async () => answer()),
      ],
      { sweepEveryMs: 100 },
    )
    const status = incoming('stage-status', 'status', { line: '1315' })
    const reservation = incoming('event-reservation', 'reservation', { follows: '1315' })
    await accept(journal, status)
    await eventually(async () => (await field(journal, status.key, 'state')) === 'processing')
    await accept(journal, reservation)
    await eventually(async () => (await field(journal, reservation.key, 'behind')) === '1')
    world.goBack()
    gate.resolve()
    await eventually(async () => (await field(journal, reservation.key, 'state')) === 'succeeded')
  })

  it('is not seen in the clocks of two machines that differ by some seconds', async () => {
    await using world = await openAnHourAhead()
    const { harness, journal } = world
    world.goBack()
    const message = incoming('device-status-ack', 'skewed')
    await accept({ ...journal, clock: () => Date.now() + 50_000 }, message)
    const before = await field(journal, message.key, 'stateAt')
    await followClock(harness.journal)
    expect(await field(journal, message.key, 'stateAt')).toBe(before)
    await accept({ ...journal, clock: () => Date.now() + 70_000 }, incoming('device-status-ack', 'jumped'))
    await followClock(harness.journal)
    expect(Number(await field(journal, 'device-status-ack.SITE1.jumped', 'stateAt'))).toBeLessThanOrEqual(Date.now())
  })
})
