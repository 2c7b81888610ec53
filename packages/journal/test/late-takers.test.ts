import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { answer, field, incoming, oneCall, openHarness } from './harness.ts'

describe('a worker that was stopped between getting a job and taking its message', () => {
  it('does not take it from the worker that got the job after it', async () => {
    await using harness = await openHarness()
    const { journal } = harness
    const message = incoming('stage-status', 'late')
    await accept(journal, message)
    const run = (await field(journal, message.key, 'run')) ?? ''
    const take = async (token: string, started: number) =>
      (await journal.run('take', { key: message.key, run, token, started, made: 0, lookups: 1 })).kind
    expect(await take('second', 2)).toBe('attempt')
    expect(await take('first', 1)).toBe('surplus')
    expect(await field(journal, message.key, 'token')).toBe('second')
    expect(await take('third', 3)).toBe('attempt')
  })

  it('is known by how often its job was started', async () => {
    await using harness = await openHarness()
    const started: unknown[] = []
    const { journal } = harness
    const watched: typeof journal = {
      ...journal,
      run(script, named, blobs) {
        if ('started' in named) started.push(named.started)
        return journal.run(script, named, blobs)
      },
    }
    const done = Promise.withResolvers<void>()
    await harness.work(
      [
        {
          ...oneCall('stage-status', async () => answer()),
          async process(attempt) {
            if (attempt.number === 1) attempt.postpone(Date.now())
            done.resolve()
            return { state: 'succeeded', outcome: 'SUCCESS' }
          },
        },
      ],
      { journal: watched },
    )
    await accept(journal, incoming('stage-status', 'counted'))
    await done.promise
    expect(started).toEqual([1, 2])
  })
})
