import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept, leaveUncollected } from '../src/intake.ts'
import { answer, callError, field, incoming, oneCall, openHarness, quickly } from './harness.ts'

const unnamed = (hash: string) => incoming('stage-status', hash, { hash, line: '1315', terms: ['1315'], unnamed: true })
const [schedule, cancel] = [unnamed('schedule'), unnamed('cancel')]

describe('a message without an id that comes again after another one of its line', () => {
  /** Nobody works on them. */
  async function openAccepted() {
    const harness = await openHarness()
    for (const message of [schedule, cancel]) await accept(harness.journal, message)
    return harness
  }

  it('is a message of its own at the end of the line, also while the first one is open; each of them has its repeats', async () => {
    await using harness = await openAccepted()
    const second = await accept(harness.journal, schedule)
    expect(second).toMatchObject({ kind: 'new', key: `${schedule.key}-2`, generation: 1 })
    expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'attached', key: second.key })
    expect(await accept(harness.journal, cancel)).toMatchObject({ kind: 'new', key: `${cancel.key}-2` })
    expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'new', key: `${schedule.key}-3` })
    const order: string[] = []
    await harness.work([
      oneCall('stage-status', async (attempt) => {
        order.push(`${attempt.id} ${JSON.stringify(attempt.payload)}`)
        return answer()
      }),
    ])
    await eventually(() => order.length === 5)
    const content = (name: string) => JSON.stringify({ messageId: name })
    expect(order).toEqual(
      ['schedule', 'cancel', 'schedule-2', 'cancel-2', 'schedule-3'].map(
        (id) => `${id} ${content(id.split('-')[0] ?? '')}`,
      ),
    )
  })

  it('is a repeat while its sender was told to come again or hung up', async () => {
    await using harness = await openAccepted()
    for (const how of ['provisional', 'hung-up'] as const) {
      await leaveUncollected(harness.journal, { key: schedule.key, generation: 1 }, how)
      expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'attached', key: schedule.key })
    }
    await leaveUncollected(harness.journal, { key: schedule.key, generation: 1 }, 'provisional')
    await harness.work([oneCall('stage-status', async () => answer())])
    await eventually(async () => (await field(harness.journal, cancel.key, 'state')) === 'succeeded')
    expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'replayed', key: schedule.key })
    // Now its sender knows the result.
    expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'new', key: `${schedule.key}-2` })
  })

  it('is a repeat after FAILURE, which asks for one', async () => {
    await using harness = await openAccepted()
    await harness.work(
      [
        oneCall('stage-status', async () => {
          throw callError('failed')
        }),
      ],
      { spec: quickly(0) },
    )
    await eventually(async () => (await field(harness.journal, cancel.key, 'state')) === 'dead')
    expect(await accept(harness.journal, schedule)).toMatchObject({ kind: 'again', key: schedule.key, generation: 2 })
  })

  it('with an id is a repeat as ever', async () => {
    await using harness = await openHarness()
    const named = incoming('stage-status', 'm-1', { line: '1315', terms: ['1315'] })
    for (const message of [named, cancel]) await accept(harness.journal, message)
    expect(await accept(harness.journal, named)).toMatchObject({ kind: 'attached', key: named.key })
  })

  it('without a line is a repeat as ever', async () => {
    await using harness = await openHarness()
    const { line: _, ...loose } = schedule
    for (const message of [loose, cancel]) await accept(harness.journal, message)
    expect(await accept(harness.journal, loose)).toMatchObject({ kind: 'attached', key: schedule.key })
  })
})
