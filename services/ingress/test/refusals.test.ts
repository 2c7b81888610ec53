import { keysMatching } from '@tieline/testkit/keys-matching'
import { expect, test } from 'vitest'
import { openIngress } from './harness.ts'

test('a flood of refusals is answered, counted and told, and takes no more of Redis than it may', async () => {
  await using ingress = await openIngress()
  const { journal, redis } = ingress
  const flood = 300
  const body = `{"cancelReason": "${'x'.repeat(20_000)}`
  const statuses = new Set<number>()
  let left = flood
  const sendOn = async () => {
    while (left-- > 0) statuses.add((await ingress.post('stage-status', body)).status)
  }
  await Promise.all(Array.from({ length: 32 }, sendOn))
  expect(statuses).toEqual(new Set([400]))

  // One more, for those that were only counted until now.
  const window = `${journal.base}:w:refusal/stage-status/derms/malformed-body`
  await expect
    .poll(
      async () => {
        await ingress.post('stage-status', '{')
        return Number(await redis.hget(window, 'count'))
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBeGreaterThanOrEqual(flood)
  expect(await redis.zcard(`${journal.base}:d:stage-status`)).toBeGreaterThanOrEqual(flood)
  const bodies = await keysMatching(redis, `${journal.base}:db:*`)
  const sizes = await Promise.all(bodies.map((key) => redis.strlen(key)))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4 * 2 ** 20)
  expect(await redis.zcard(`${journal.base}:s:notification:accepted`)).toBe(1)
})
