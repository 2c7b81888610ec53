import type { SourceFile } from '@tieline/targets/file-source'
import { expect, test } from 'vitest'
import { steadyFiles } from '../src/steady-files.ts'

const file = (name: string, version = '1'): SourceFile => ({ name, version, bytes: 1, modifiedAt: 0 })

/** Looks that find one listing after the other; the last one stays. */
async function collect(listings: SourceFile[][], minutes = 30) {
  let nowMs = 0
  let looks = 0
  const waits: number[] = []
  const files = steadyFiles({
    look: async () => listings[Math.min(looks++, listings.length - 1)] ?? [],
    lookAgainMs: 2_000,
    untilMs: minutes * 60_000,
    clock: () => nowMs,
    async wait(ms) {
      waits.push(ms)
      nowMs += ms
    },
  })
  const steady: string[] = []
  for (;;) {
    const { value, done } = await files.next()
    if (done) return { steady, left: value.map(({ name }) => name), waits, looks }
    steady.push(value.name)
  }
}

test('nothing is waited for where there is nothing', async () => {
  expect(await collect([[]])).toEqual({ steady: [], left: [], waits: [], looks: 1 })
})

test('what two looks two seconds apart found the same is steady', async () => {
  expect(await collect([[file('a'), file('b')]])).toEqual({ steady: ['a', 'b'], left: [], waits: [2_000], looks: 2 })
})

test('what changed between them is looked at again, later and later, and each file comes once', async () => {
  const { steady, left, waits } = await collect([
    [file('a'), file('b', '1')],
    [file('a'), file('b', '2')],
    [file('a'), file('b', '3')],
    [file('a'), file('b', '3')],
  ])
  expect({ steady, left, waits }).toEqual({ steady: ['a', 'b'], left: [], waits: [2_000, 4_000, 8_000] })
})

test('what came during the run is taken when it holds still', async () => {
  expect((await collect([[file('a')], [file('a'), file('b')], [file('b')]])).steady).toEqual(['a', 'b'])
})

test('what never holds still is left when the time is over, at least once a minute looked at', async () => {
  let version = 0
  const listings = Array.from({ length: 100 }, () => [file('a', String(version++))])
  const { steady, left, waits } = await collect(listings)
  expect(steady).toEqual([])
  expect(left).toEqual(['a'])
  expect(Math.max(...waits)).toBe(60_000)
  const total = waits.reduce((sum, ms) => sum + ms, 0)
  expect(total).toBeGreaterThanOrEqual(30 * 60_000)
  expect(total).toBeLessThan(31 * 60_000)
})

test('what went away meanwhile is not waited for', async () => {
  expect(await collect([[file('a')], []])).toMatchObject({ steady: [], left: [], looks: 2 })
})
