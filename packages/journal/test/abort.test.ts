import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { abortMessage } from '../src/abort.ts'
import { accept, leaveUncollected } from '../src/intake.ts'
import type { Journal } from '../src/journal.ts'
import { sweepOnce } from '../src/kernel/sweeper.ts'
import { readAudit, rerunMessage, showMessage } from '../src/operations.ts'
import type { Reply } from '../src/types.ts'
import {
  answer,
  callError,
  dead,
  field,
  incoming,
  oneCall,
  openHarness,
  quickly,
  sentTwice,
  succeeded,
  targetThat,
} from './harness.ts'

const stage = (id: string) => incoming('stage-status', id, { line: '1315' })
const [first, second] = [stage('first'), stage('second')]
const operator = { who: 'ana', why: 'the event is off' }
const told: Reply = { status: 200, body: 'ABORTED' }

const abort = (journal: Journal, { key }: { key: string }) =>
  abortMessage(journal, key, operator, () => ({ reply: told }))

type Harness = Awaited<ReturnType<typeof openHarness>>
const becomes = ({ journal }: Harness, { key }: { key: string }, state: string) =>
  eventually(async () => (await field(journal, key, 'state')) === state)

/** Two messages of a line; calls of the first are answered when the test says so. */
async function openLine(answerFirst: () => Promise<ReturnType<typeof answer>>) {
  const harness = await openHarness()
  const calls: string[] = []
  const processor = oneCall('stage-status', (attempt) => {
    calls.push(attempt.id)
    return attempt.id === 'first' && attempt.generation === 1 ? answerFirst() : Promise.resolve(answer())
  })
  return { harness, journal: harness.journal, calls, processor, [Symbol.asyncDispose]: harness[Symbol.asyncDispose] }
}

describe('an operator ends a message', () => {
  it('that nobody has taken: no call, the line goes on, the reply is stored, audit and time line name who', async () => {
    await using line = await openLine(async () => answer())
    const { harness, journal } = line
    for (const message of [first, second]) await accept(journal, message)
    expect(await abort(sentTwice(journal), first)).toEqual({ kind: 'ok', held: false })
    await harness.work([line.processor])
    await becomes(harness, second, 'succeeded')
    expect(line.calls).toEqual(['second'])
    const ended = await showMessage(journal, first.key)
    expect(ended).toMatchObject({ state: 'discarded', outcome: 'ERROR', code: 'aborted', effects: [] })
    expect(ended?.timeline.filter(({ what }) => what === 'aborted')).toMatchObject([{ who: 'ana' }])
    expect(await readAudit(journal)).toMatchObject([{ ...operator, what: 'abort', key: first.key }])
    expect(await abort(journal, first)).toEqual({ kind: 'settled' })
    expect(await abort(journal, stage('nobody'))).toEqual({ kind: 'unknown-message' })
  })

  it('that waits in its line, or waits for its next attempt: nothing of it is left in the queue', async () => {
    await using line = await openLine(async () => {
      throw callError('failed')
    })
    const { harness, journal } = line
    const retry = { retryForS: 600, firstDelayMs: 300_000, capDelayMs: 300_000 }
    await harness.work([line.processor], { spec: quickly(0, { retry }) })
    for (const message of [first, second, stage('third')]) await accept(journal, message)
    await becomes(harness, first, 'retrying')
    expect(await abort(journal, second)).toEqual({ kind: 'ok', held: false })
    expect(await abort(journal, first)).toEqual({ kind: 'ok', held: false })
    await becomes(harness, stage('third'), 'succeeded')
    expect(line.calls).toEqual(['first', 'third'])
    const queue = journal.queues.all.find(({ name }) => name === 'stage-status')
    await eventually(async () => (await queue?.getDelayedCount()) === 0)
  })

  it('that a worker has: it makes no other call, the line goes on after it, and the end of its call is known', async () => {
    const gate = Promise.withResolvers<ReturnType<typeof answer>>()
    await using line = await openLine(() => gate.promise)
    const { harness, journal } = line
    await harness.work([line.processor])
    for (const message of [first, second]) await accept(journal, message)
    await eventually(() => line.calls.length === 1)
    expect(await abort(sentTwice(journal), first)).toEqual({ kind: 'ok', held: true })
    expect(await field(journal, first.key, 'state')).toBe('discarded')
    await sweepOnce(journal)
    // Its call could otherwise arrive after that of the second one.
    expect(await field(journal, second.key, 'state')).toBe('waiting')
    gate.resolve(answer('made'))
    await becomes(harness, second, 'succeeded')
    expect(line.calls).toEqual(['first', 'second'])
    const ended = await showMessage(journal, first.key)
    expect(ended).toMatchObject({ state: 'discarded', effects: [{ state: 'confirmed' }] })
    expect(ended?.timeline.map(({ what }) => what)).not.toContain('settled')
    // So it is not made again, whoever wants it run after all.
    const how = { who: 'ana', why: 'it is on after all', force: true }
    expect(await rerunMessage(journal, first.key, how)).toMatchObject({ kind: 'ok' })
    await becomes(harness, first, 'succeeded')
    expect(line.calls).toEqual(['first', 'second'])
  })

  it('whose worker has more calls to make: it makes none of them', async () => {
    await using harness = await openHarness()
    const gate = Promise.withResolvers<void>()
    const calls: string[] = []
    await harness.work([
      {
        flow: 'stage-status',
        async process(attempt) {
          for (const id of ['one', 'two', 'three']) {
            const call = async () => {
              calls.push(`${attempt.id} ${id}`)
              if (attempt.id === 'first') await gate.promise
              return answer()
            }
            await attempt.call(id, targetThat(call), id, {})
          }
          return succeeded
        },
        giveUp: () => dead,
      },
    ])
    for (const message of [first, second]) await accept(harness.journal, message)
    await eventually(() => calls.length === 1)
    await abort(harness.journal, first)
    gate.resolve()
    await becomes(harness, second, 'succeeded')
    expect(calls).toEqual(['first one', 'second one', 'second two', 'second three'])
  })

  it('and runs it again while the worker is still at it: the new run waits for it', async () => {
    const gate = Promise.withResolvers<ReturnType<typeof answer>>()
    await using line = await openLine(() => gate.promise)
    const { harness, journal } = line
    await harness.work([line.processor])
    await accept(journal, first)
    await eventually(() => line.calls.length === 1)
    await abort(journal, first)
    await rerunMessage(journal, first.key, { who: 'ana', why: 'a mistake' })
    await sweepOnce(journal)
    expect(await field(journal, first.key, 'state')).toBe('waiting')
    gate.reject(callError('unknown'))
    await becomes(harness, first, 'succeeded')
    expect(line.calls).toEqual(['first', 'first'])
  })

  it('whose caller was told to come again: the repeat collects the end, a further one is new work', async () => {
    await using line = await openLine(async () => answer())
    const { journal } = line
    const { generation } = await accept(journal, first)
    await leaveUncollected(journal, { key: first.key, generation }, 'provisional')
    await abort(journal, first)
    expect(await accept(journal, first)).toMatchObject({ kind: 'replayed', reply: told })
    expect(await accept(journal, first)).toMatchObject({ kind: 'again', generation: 2 })
  })
})
