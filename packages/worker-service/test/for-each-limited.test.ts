import { expect, test } from 'vitest'
import { forEachLimited } from '../src/for-each-limited.ts'

test('works on one item after another, in their order', async () => {
  const seen: string[] = []
  await forEachLimited(['a', 'b'], 1, async (item) => {
    seen.push(`${item} begins`)
    await Promise.resolve()
    seen.push(`${item} ends`)
  })
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
})

test('works on no more items at a time than it is told, and on all', async () => {
  let running = 0
  let most = 0
  const seen: number[] = []
  await forEachLimited([1, 2, 3, 4, 5], 3, async (item) => {
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    running -= 1
    seen.push(item)
  })
  expect(most).toBe(3)
  expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5])
})

test('starts nothing after an error, and rejects only when the running ones have ended', async () => {
  const slow = Promise.withResolvers<void>()
  const seen: number[] = []
  const all = forEachLimited([1, 2, 3, 4], 2, async (item) => {
    seen.push(item)
    if (item === 1) throw new Error('first')
    await slow.promise
    seen.push(-item)
  })
  queueMicrotask(slow.resolve)
  await expect(all).rejects.toThrow('first')
  expect(seen).toEqual([1, 2, -2])
})
