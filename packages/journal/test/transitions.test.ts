import { randomUUID } from 'node:crypto'
import type { FlowId } from '@tieline/contracts/flows'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abortMessage } from '../src/abort.ts'
import { accept, leaveUncollected } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { acknowledgmentMessage, dueBlobs, dueFields, noticeMessage } from '../src/kernel/due-messages.ts'
import { trimExpired } from '../src/kernel/sweeper.ts'
import { discardDeadLetter, rerunMessage } from '../src/operations.ts'
import { startRun } from '../src/transfers/runs.ts'
import { incoming, openHarness } from './harness.ts'
import { watched } from './watched.ts'

const by = { who: 'x', why: 'y' }
const ends = ['succeed', 'refuse', 'die', 'retry', 'postpone', 'leave'] as const
const wishes = ['rerun', 'discard', 'abort', 'revive', 'collect', 'note', 'transfer', 'trim', 'retake'] as const
const step = fc.record({
  what: fc.constantFrom('send', 'send', 'send', 'change', 'take', 'begin', ...ends, ...ends, ...wishes),
  // Two of one line, and one with an acknowledgment.
  of: fc.constantFrom<{ flow: FlowId; id: string }[]>(
    { flow: 'stage-status', id: 'a' },
    { flow: 'stage-status', id: 'b' },
    { flow: 'event-outcome', id: 'a' },
  ),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describe('whatever happens to messages', () => {
  it('each script does to them what the schema says, and nothing else', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 70 }), async (steps) => {
      await using world = await openWorld()
      for (const one of steps) await world.perform(one)
    })
    await fc.assert(property, { numRuns: 14, endOnFailure: true, unbiased: true })
  }, 60_000)

  const begun: Step[] = (['send', 'take', 'begin', 'succeed'] as const).map((one) => ({
    what: one,
    of: { flow: 'stage-status', id: 'a' },
  }))
  it.each([
    ['a choice that is lost with its begin', 'pins', 'begin'],
    ['an end whose outcome was not kept', 'ended', 'settle'],
  ])('%s is noticed', async (_what, rider, script) => {
    const forgetful = (journal: Journal): Journal => ({
      ...journal,
      run: (name, args, blobs) => journal.run(name, name === script ? { ...args, [rider]: undefined } : args, blobs),
    })
    await using world = await openWorld(forgetful)
    const perform = async () => {
      for (const one of begun) await world.perform(one)
    }
    await expect(perform()).rejects.toThrow(rider === 'pins' ? 'DACS_MAIN' : 'effect create')
  })
})

/** Scripts alone, without BullMQ: the test is the worker. */
async function openWorld(plant: (journal: Journal) => Journal = (journal) => journal) {
  let now = Date.now()
  const harness = await openHarness({ payloadKeys: [], clock: () => now })
  // The plant is between the watcher's eyes and what Redis gets.
  const journal = watched(plant(harness.journal))
  const attempts = new Map<string, { run: string; token: string; call?: string }>()

  const needsAttempt: readonly Step['what'][] = ['begin', 'succeed', 'refuse', 'die', 'retry', 'postpone']

  async function perform({ what, of }: Step): Promise<void> {
    const { flow, id } = of
    const state = await journal.redis.hget(`${journal.base}:m:${incoming(flow, id).key}`, 'state')
    // Mostly an attempt ends one that has begun; those that come too late are there as well.
    if (needsAttempt.includes(what) && (state === 'accepted' || state === 'retrying'))
      await perform({ what: 'take', of })
    const line = flow === 'stage-status' && { line: 'L' }
    const message = incoming(flow, id, { ...line, hash: what === 'change' ? randomUUID() : 'h' })
    const { key } = message
    const record = await journal.redis.hgetall(`${journal.base}:m:${key}`)
    const run = record.run ?? ''
    const attempt = attempts.get(key)
    const held = { key, run: attempt?.run ?? '', token: attempt?.token ?? '' }
    now += 1
    switch (what) {
      case 'send':
      case 'change':
        await accept(journal, message)
        return
      case 'take':
      case 'retake': {
        const token = randomUUID()
        const made = what === 'retake' ? 1 : 0
        const { kind } = await journal.run('take', { key, run, token, started: 1, made, lookups: 1 })
        if (kind === 'attempt') attempts.set(key, { run, token })
        return
      }
      case 'begin': {
        const call = randomUUID()
        const effect = { effect: 'create', call, quiet: false, operation: 'create', connection: 'DACS_MAIN' }
        const { kind } = await journal.run('begin', { ...held, ...effect, pins: { dacs: 'DACS_MAIN' } })
        if (kind === 'send' && attempt) attempt.call = call
        return
      }
      case 'succeed':
        return settle('succeeded', 'SUCCESS')
      case 'refuse':
        return settle('refused', 'ERROR')
      case 'die':
        return settle('dead', 'FAILURE')
      case 'retry':
      case 'postpone': {
        const code = what === 'retry' ? 'target-error' : undefined
        await journal.run('retry', { ...held, ...ended('failed'), nextAt: now, code, mark: code && 'alarmed' }, [''])
        return
      }
      case 'leave':
        await journal.run('yield', held)
        return
      case 'note':
        await journal.run('note', { ...held, entry: { what: 'x' } })
        return
      case 'rerun':
        await rerunMessage(journal, key, by)
        return
      case 'discard':
        await discardDeadLetter(journal, key, by, true)
        return
      case 'abort':
        await abortMessage(journal, key, by, () => ({}))
        return
      case 'revive':
        await journal.run('revive', { key, run })
        return
      case 'collect':
        await leaveUncollected(journal, { key, generation: Number(record.generation ?? 1) }, 'provisional')
        return
      case 'transfer':
        await startRun(journal, { transfer: { name: id, source: 'S' }, who: 'x' })
        return
      case 'trim':
        await oneByOne(() => trimExpired(journal))
    }

    function ended(state: 'confirmed' | 'failed') {
      const call = attempt?.call
      if (call === undefined) return {}
      // An end that is sent twice is the same twice; here it is another one.
      delete attempt?.call
      return { ended: [{ effect: 'create', call, state, quiet: false, down: false }] }
    }

    async function settle(state: 'succeeded' | 'refused' | 'dead', outcome: string) {
      const about = { key, id, generation: Number(record.generation ?? 1) }
      const mail = noticeMessage(
        journal,
        { kind: 'error', flow, code: 'x', summary: '', occurredAt: '', next: '' },
        `${key}${now}`,
      )
      const told = { flow: 'event-outcome', connection: 'D', ack: {}, outcome } as never
      const due = flow === 'event-outcome' ? [mail, acknowledgmentMessage(journal, about, told)] : [mail]
      const named = { ...held, ...ended('confirmed'), state, outcome, made: 0, ...dueFields(due) }
      await journal.run('settle', named, dueBlobs(due))
    }
  }

  /** Months later everything that has settled goes, script after script. */
  async function oneByOne(trim: () => Promise<void>) {
    const run = journal.run
    let before: Promise<unknown> = Promise.resolve()
    const queued: Journal['run'] = (name, args, blobs) => {
      const next = before.then(() => run(name, args, blobs))
      before = next.catch(() => undefined)
      return next
    }
    now += 40 * 86_400_000
    Object.assign(journal, { run: queued })
    await trim()
    Object.assign(journal, { run })
  }

  return { perform, [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose]() }
}
