import { randomUUID } from 'node:crypto'
import { connectWorker } from '@tieline/runtime/redis'
import fc from 'fast-check'
import { afterAll, expect, inject, it } from 'vitest'
import { newestFirst } from '../src/newest-first.ts'
import { logger } from './harness.ts'

const redis = connectWorker(inject('redisUrl'), logger)
afterAll(() => redis.disconnect())

/** Few times, so that many members share one, also more than a page holds. */
const members = fc.array(fc.tuple(fc.nat(2), fc.nat(4)), { maxLength: 2_000, size: 'max' })

it('what stands in any of the sets comes once, the latest first, within the span that was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      members,
      fc.nat(4),
      fc.nat(4),
      fc.integer({ min: 1, max: 600 }),
      async (given, one, other, first) => {
        const base = `{n-${randomUUID()}}`
        const sets = [0, 1, 2].map((set) => `${base}:${set}`)
        const pipeline = redis.pipeline()
        for (const [i, [set, at]] of given.entries()) pipeline.zadd(`${base}:${set}`, at, `m${i}`)
        await pipeline.exec()
        const span = { since: Math.min(one, other), until: Math.max(one, other) }
        const found = (await Array.fromAsync(newestFirst(redis, sets, span, first))).flat()
        await redis.del(...sets)

        const wanted = given.flatMap(([, at], i) => (at >= span.since && at <= span.until ? [`m${i}`] : []))
        expect(found.map(({ member }) => member).toSorted()).toEqual(wanted.toSorted())
        const times = found.map(({ at }) => at)
        expect(times).toEqual(times.toSorted((a, b) => b - a))
      },
    ),
    { numRuns: 30 },
  )
})

it('no more is read than is asked for', async () => {
  const set = `{n-${randomUUID()}}:many`
  const pipeline = redis.pipeline()
  for (let i = 0; i < 2_000; i++) pipeline.zadd(set, i, `m${i}`)
  await pipeline.exec()
  for await (const page of newestFirst(redis, [set], {}, 3)) {
    expect(page).toEqual([1_999, 1_998, 1_997].map((at) => ({ set, member: `m${at}`, at })))
    break
  }
  await redis.del(set)
})
