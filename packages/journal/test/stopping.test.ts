import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisProcess } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { answer, field, incoming, oneCall, openHarness, succeeded, targetThat } from './harness.ts'

describe('a worker that stops', () => {
  it('stops in time while Redis is away', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tieline-stop-'))
    const { binary, env } = await findRedisBinary()
    await using redis = await startRedisProcess({ binary, dataDir, ...(env && { env }) })
    const harness = await openHarness({ redisUrl: redis.url })
    const workers = await harness.work([oneCall('stage-status', async () => answer())], { drainMs: 300 })
    await redis.kill('SIGKILL')
    await eventually(() => harness.redis.status === 'reconnecting')
    const startedAt = performance.now()
    await workers[Symbol.asyncDispose]()
    await harness[Symbol.asyncDispose]()
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await rm(dataDir, { recursive: true, force: true })
  }, 20_000)

  it('finishes the call in flight, starts no other, and leaves the rest to the next worker', async () => {
    await using harness = await openHarness()
    const gate = Promise.withResolvers<void>()
    const calls: string[] = []
    const processor = {
      flow: 'enrollment-request',
      async process(attempt: Parameters<Parameters<typeof oneCall>[1]>[0]) {
        for (const id of ['one', 'two']) {
          const target = targetThat(async () => {
            calls.push(id)
            if (calls.length === 1) await gate.promise
            return answer()
          })
          await attempt.call(id, target, id, {})
        }
        return succeeded
      },
      giveUp: () => succeeded,
    } as const
    const first = await harness.work([processor])
    const message = incoming('enrollment-request', 'two')
    await accept(harness.journal, message)
    await eventually(() => calls.length === 1)
    const stopped = first[Symbol.asyncDispose]()
    gate.resolve()
    await stopped
    expect(calls).toEqual(['one'])
    expect(await field(harness.journal, message.key, 'state')).toBe('retrying')
    await harness.work([processor])
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    expect(calls).toEqual(['one', 'two'])
    expect(await field(harness.journal, message.key, 'failures')).toBe('0')
  })
})
