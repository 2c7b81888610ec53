import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abortMessage } from '../src/abort.ts'
import { accept } from '../src/intake.ts'
import { discardDeadLetter, rerunMessage } from '../src/operations.ts'
import { incoming, openHarness, sentTwice as twice } from './harness.ts'
import { watched } from './watched.ts'

const flow = 'stage-status'
const step = fc.record({
  what: fc.constantFrom(
    'send',
    'send',
    'take',
    'take',
    'settle',
    'die',
    'retry',
    'leave',
    'rerun',
    'discard',
    'abort',
    'revive',
  ),
  id: fc.constantFrom('a', 'b', 'c'),
  hash: fc.constantFrom('1', '2'),
  line: fc.constantFrom('L', 'L', 'M', undefined),
  sentTwice: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describe('whatever happens to the messages of a line', () => {
  it('one of them may run, and no other', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      await using world = await openWorld()
      for (const one of steps) {
        await world.perform(one)
        await world.check()
      }
    })
    await fc.assert(property, { numRuns: 40 })
  }, 60_000)
})

/** Scripts alone, without BullMQ: the test is the worker, and may come late, twice or with an old run. */
async function openWorld() {
  const harness = await openHarness({ payloadKeys: [] })
  const { redis } = harness
  const journal = watched(harness.journal)
  const attempts = new Map<string, { run: string; token: string }[]>()
  const runs = new Map<string, string[]>()
  const key = (id: string) => incoming(flow, id).key
  const record = (id: string) => redis.hgetall(`${journal.base}:m:${key(id)}`)

  async function perform({ what, id, hash, line, sentTwice }: Step) {
    const common = { key: key(id), nextRun: randomUUID() }
    const attempt = attempts.get(id)?.at(-1)
    const run: typeof journal.run = async (script, named, blobs) => {
      return (sentTwice ? twice(journal) : journal).run(script, named, blobs)
    }
    switch (what) {
      case 'send':
        await accept(journal, incoming(flow, id, { hash, ...(line && { line }) }))
        break
      case 'take': {
        const known = runs.get(id) ?? []
        const taken = sentTwice ? known.at(-1) : known[Math.max(0, known.length - 2)]
        if (taken === undefined) break
        const token = randomUUID()
        attempts.set(id, [...(attempts.get(id) ?? []), { run: taken, token }])
        await journal.run('take', { ...common, run: taken, token, started: 1, made: sentTwice ? 1 : 0, lookups: 1 })
        break
      }
      case 'settle':
        if (attempt)
          await run('settle', { ...common, ...attempt, made: 0, outcome: 'SUCCESS', state: 'succeeded' }, [''])
        break
      case 'die':
        if (attempt) await run('settle', { ...common, ...attempt, made: 0, outcome: 'FAILURE', state: 'dead' }, [''])
        break
      case 'retry':
        if (attempt) await run('retry', { ...common, ...attempt, nextAt: Date.now(), code: 'target-error' }, [''])
        break
      case 'leave':
        if (attempt) await run('yield', { ...common, run: attempt.run })
        break
      case 'rerun':
        await rerunMessage(journal, key(id), { who: 'x', why: 'y' })
        break
      case 'discard':
        await discardDeadLetter(journal, key(id), { who: 'x', why: 'y' })
        break
      case 'abort':
        await abortMessage(sentTwice ? twice(journal) : journal, key(id), { who: 'x', why: 'y' }, () => ({}))
        break
      case 'revive': {
        const { run: known } = await record(id)
        if (known) await run('revive', { ...common, run: known })
      }
    }
    for (const one of ['a', 'b', 'c']) {
      const { run: current } = await record(one)
      if (current && runs.get(one)?.at(-1) !== current) runs.set(one, [...(runs.get(one) ?? []), current])
    }
  }

  async function check() {
    const records = await Promise.all(['a', 'b', 'c'].map(async (id) => ({ id, ...(await record(id)) })))
    const known = records.flatMap((one) => ('state' in one ? [one as Record<string, string>] : []))
    const isOpen = ({ state }: Record<string, string>) =>
      ['accepted', 'waiting', 'processing', 'retrying'].includes(state ?? '')
    // What was aborted while a worker had it holds its line until that worker is done.
    const isHeld = ({ state, blockedBy }: Record<string, string>) => state === 'discarded' && Boolean(blockedBy)
    const open = known.filter((one) => isOpen(one) || isHeld(one))
    expect((await redis.zrange(`${journal.base}:open`, '0', '-1')).sort()).toEqual(
      open.map(({ id }) => key(id ?? '')).sort(),
    )
    for (const line of ['', `${flow}.L`, `${flow}.M`]) {
      const members = open.filter((one) => one.line === line)
      const free = members.filter((one) => one.state !== 'waiting' && !isHeld(one))
      if (line === '') {
        for (const one of members) expect(one.state === 'waiting' || isHeld(one)).toBe(Boolean(one.blockedBy))
        continue
      }
      const [holder] = await redis.zrangebyscore(`${journal.base}:l:${line}`, 0, 0)
      expect(await redis.zcard(`${journal.base}:l:${line}`)).toBe(members.length)
      if (members.length === 0) expect(holder).toBeUndefined()
      else {
        const held = members.find(({ id }) => key(id ?? '') === holder)
        // The holder runs, or waits for the attempt that its newer payload superseded.
        expect(held).toBeDefined()
        expect(free.map(({ id }) => id)).toEqual(held?.blockedBy ? [] : [held?.id])
      }
    }
  }
  return { perform, check, [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose]() }
}
