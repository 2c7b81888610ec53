import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { accept } from '../src/intake.ts'
import {
  discardDeadLetter,
  findMessages,
  listMessages,
  readAudit,
  rerunMessage,
  showMessage,
} from '../src/operations.ts'
import { answer, callError, field, incoming, oneCall, openHarness, quickly } from './harness.ts'

/** A dead letter whose target works again as soon as `fate.failing` is cleared. */
async function withDeadLetter(id: string) {
  const harness = await openHarness()
  const fate = { failing: true, calls: 0 }
  const message = incoming('enrollment-sync-ack', id)
  await harness.work(
    [
      oneCall('enrollment-sync-ack', async () => {
        fate.calls++
        if (fate.failing) throw callError('failed')
        return answer()
      }),
    ],
    { spec: quickly(0) },
  )
  await accept(harness.journal, message)
  const queue = harness.journal.queues.all.find(({ name }) => name === 'enrollment-sync-ack')
  await eventually(async () => (await queue?.getFailedCount()) === 1)
  const state = (wanted: string) =>
    eventually(async () => (await field(harness.journal, message.key, 'state')) === wanted)
  await state('dead')
  fate.failing = false
  return {
    harness,
    journal: harness.journal,
    fate,
    message,
    queue,
    state,
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

describe('a dead letter', () => {
  it('is resubmitted by the retry of its job, as Bull Board does it, and by nothing else', async () => {
    await using letter = await withDeadLetter('bull-board')
    const [job] = (await letter.queue?.getFailed()) ?? []
    expect(job?.data).toEqual({ key: letter.message.key })
    expect(job?.failedReason).toBe('target-error')
    await job?.retry('failed')
    await letter.state('succeeded')
    expect(await readAudit(letter.journal)).toMatchObject([
      { who: 'bull-board', what: 'resubmit', key: letter.message.key },
    ])
    expect(letter.fate.calls).toBe(2)
  })

  it('is not resubmitted by a crash between its end and its filing: the job only becomes the ticket', async () => {
    await using letter = await withDeadLetter('crash')
    const run = (await field(letter.journal, letter.message.key, 'run')) ?? ''
    const take = { key: letter.message.key, run, token: 't', started: 1, made: 0, lookups: 1 }
    expect(await letter.journal.run('take', take)).toMatchObject({ kind: 'ticket', code: 'target-error' })
    expect(await field(letter.journal, letter.message.key, 'state')).toBe('dead')
  })

  it('is resubmitted by an operator under a new run, with who and why in the audit', async () => {
    await using letter = await withDeadLetter('operator')
    const done = await rerunMessage(letter.journal, letter.message.key, {
      who: 'ana',
      why: 'DACS is back',
      onlyDead: true,
    })
    expect(done).toMatchObject({ kind: 'ok', generation: 2 })
    await letter.state('succeeded')
    expect(await letter.queue?.getFailedCount()).toBe(0)
    expect(await readAudit(letter.journal)).toMatchObject([{ who: 'ana', why: 'DACS is back', what: 'resubmit' }])
    const again = await rerunMessage(letter.journal, letter.message.key, { who: 'ana', why: 'x', onlyDead: true })
    expect(again).toMatchObject({ kind: 'not-dead' })
  })

  it('is discarded with a reason, and found no more among the dead', async () => {
    await using letter = await withDeadLetter('discard')
    expect(await listMessages(letter.journal, { state: 'dead' })).toHaveLength(1)
    expect(await discardDeadLetter(letter.journal, letter.message.key, { who: 'ana', why: 'sent by hand' })).toEqual({
      kind: 'ok',
    })
    expect(await listMessages(letter.journal, { state: 'dead' })).toHaveLength(0)
    expect(await letter.queue?.getFailedCount()).toBe(0)
    expect(await discardDeadLetter(letter.journal, letter.message.key, { who: 'ana', why: 'twice' })).toMatchObject({
      kind: 'not-dead',
    })
    expect(await discardDeadLetter(letter.journal, 'no.such.key', { who: 'ana', why: 'x' })).toEqual({
      kind: 'unknown-message',
    })
  })
})

describe('a refused message', () => {
  it('stands among the failed jobs, as a dead letter does; a retry of its job runs it again', async () => {
    await using harness = await openHarness()
    const fate = { refusing: true, calls: 0 }
    const message = incoming('stage-status', 'refused')
    await harness.work([
      oneCall('stage-status', async () => {
        fate.calls++
        if (fate.refusing) throw callError('refused')
        return answer()
      }),
    ])
    const queue = harness.journal.queues.all.find(({ name }) => name === 'stage-status')
    await accept(harness.journal, message)
    const job = await eventually(async () => (await queue?.getFailed())?.[0])
    expect(job).toMatchObject({ data: { key: message.key }, failedReason: 'target-refused' })
    expect(await field(harness.journal, message.key, 'state')).toBe('refused')

    fate.refusing = false
    await job?.retry('failed')
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    expect(await readAudit(harness.journal)).toMatchObject([{ who: 'bull-board', what: 'rerun', key: message.key }])
    expect({ calls: fate.calls, failed: await queue?.getFailedCount() }).toEqual({ calls: 2, failed: 0 })
  })

  it('is taken off the failed jobs when its sender sends it again', async () => {
    await using harness = await openHarness()
    const message = incoming('stage-status', 'sent-again')
    let refusing = true
    await harness.work([
      oneCall('stage-status', async () => (refusing ? Promise.reject(callError('refused')) : answer())),
    ])
    const queue = harness.journal.queues.all.find(({ name }) => name === 'stage-status')
    await accept(harness.journal, message)
    await eventually(async () => (await queue?.getFailedCount()) === 1)
    refusing = false
    await accept(harness.journal, message)
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    await eventually(async () => (await queue?.getFailedCount()) === 0)
  })
})

describe('an operator', () => {
  it('runs a settled message from the start: every effect anew', async () => {
    await using harness = await openHarness()
    let calls = 0
    await harness.work([oneCall('stage-status', async () => answer({ n: ++calls }))])
    const message = incoming('stage-status', 'rerun', { terms: ['Rerun-1', '1315'] })
    await accept(harness.journal, message)
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    await rerunMessage(harness.journal, message.key, { who: 'ana', why: 'check' })
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    expect(calls).toBe(1)
    await rerunMessage(harness.journal, message.key, { who: 'ana', why: 'check', fromStart: true })
    await eventually(() => calls === 2)
    expect(await findMessages(harness.journal, 'rerun-1')).toEqual([message.key])
    expect(await findMessages(harness.journal, message.key)).toEqual([message.key])
    expect((await showMessage(harness.journal, message.key))?.timeline.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['accepted', 'attempt', 'called', 'settled', 'rerun']),
    )
  })
})
