import { expect, test } from 'vitest'
import { createAllowance } from '../src/allowance.ts'

test('so much may be taken at once, and after that at a rate', () => {
  let now = 0
  const take = createAllowance({ burst: 10, perS: 2 }, () => now)
  expect([take(6), take(5), take(4), take(1)]).toEqual([true, false, true, false])
  now += 500
  expect([take(1), take(1)]).toEqual([true, false])
  now += 3_600_000
  expect([take(11), take(10), take(1)]).toEqual([false, true, false])
})
