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
  const three = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const seen: number[] = []
  await forEachLimited([1, 2, 3, 4, 5], 3, async (item) => {
    running += 1
    most = Math.max(most, running)
    if (running === 3) three.resolve()
    await three.promise
    running -= 1
    seen.push(item)
  })
  expect(most).toBe(3)
  expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5])
})

test('starts nothing after an error, and rejects only when the running ones have ended', async () => {
  const begun = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<void>()
  const seen: number[] = []
  const all = forEachLimited([1, 2, 3, 4], 2, async (item) => {
    seen.push(item)
    if (item === 1) {
      await begun.promise
      setImmediate(slow.resolve)
      throw new Error('first')
    }
    begun.resolve()
    await slow.promise
    seen.push(-item)
  })
  await expect(all).rejects.toThrow('first')
  expect(seen).toEqual([1, 2, -2])
})

test('makes items only as they are needed, and ends their source after an error', async () => {
  const made: number[] = []
  let ended = false
  async function* items() {
    try {
      for (let item = 1; ; item++) {
        made.push(item)
        yield item
      }
    } finally {
      ended = true
    }
  }
  const all = forEachLimited(items(), 1, async (item) => {
    if (item === 3) throw new Error('third')
  })
  await expect(all).rejects.toThrow('third')
  expect(made).toEqual([1, 2, 3])
  expect(ended).toBe(true)
})
