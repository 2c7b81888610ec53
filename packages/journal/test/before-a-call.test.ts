import { setTimeout as delay } from 'node:timers/promises'
import type { MayCall } from '@tieline/runtime/call-target'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import type { Attempt } from '../src/types.ts'
import { answer, field, incoming, oneCall, openHarness } from './harness.ts'

const lockMs = 400

/** Another worker gets the job of a message that is being worked on. */
async function takeOver(journal: Journal, key: string): Promise<void> {
  const run = (await field(journal, key, 'run')) ?? ''
  await journal.run('take', { key, run, token: 'other', started: 2, made: 0, lookups: 1 })
}

describe('a call that was intended long ago', () => {
  it('is not made once another worker has taken the message', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('stage-status', 'stood-still')
    const waits = Promise.withResolvers<void>()
    const goesOn = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<string>()
    const call = async (_attempt: Attempt, mayCall?: MayCall) => {
      waits.resolve()
      await goesOn.promise
      const asking = mayCall?.() ?? Promise.resolve()
      asking.then(
        () => asked.resolve('allowed'),
        (error: Error) => asked.resolve(error.message),
      )
      await asking
      return answer()
    }
    await harness.work([oneCall('stage-status', call)], { lockMs })
    await accept(journal, message)
    await waits.promise
    await takeOver(journal, message.key)
    // The guarantee is about a worker that stood still for as long as its lock lasts.
    await delay(lockMs)
    goesOn.resolve()
    expect(await asked.promise).toBe('The attempt lost its message: stale')
    expect(await field(journal, message.key, 'token')).toBe('other')
  })

  it('is made by who still has the message, and counted once', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('stage-status', 'waited')
    const done = Promise.withResolvers<number>()
    const processor = oneCall('stage-status', async (_attempt, mayCall) => {
      // The guarantee is about a worker that stood still for as long as its lock lasts.
      await delay(lockMs)
      await mayCall?.()
      return answer()
    })
    await harness.work(
      [
        {
          ...processor,
          async process(attempt, tables) {
            const settlement = await processor.process(attempt, tables)
            done.resolve((await attempt.effects())[0]?.tries ?? 0)
            return settlement
          },
        },
      ],
      { lockMs },
    )
    await accept(journal, message)
    expect(await done.promise).toBe(1)
  })
})
