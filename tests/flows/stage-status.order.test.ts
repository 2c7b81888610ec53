import { rerunMessage } from '@tieline/journal/operations'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import {
  acknowledged,
  calls,
  canceled,
  cancellation,
  creation,
  expectNoMail,
  keyOf,
  mailed,
  openPipeline,
  reached,
  scheduled,
  send,
  withoutRetries,
} from './stages.ts'

describe.concurrent('one stage', () => {
  test('a cancellation waits for its creation, however slow DACS is', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ operation: 'createProgramEvent', ms: 400 })
    const first = send(pipeline, scheduled)
    await reached(pipeline, 1)
    const second = send(pipeline, canceled)
    await pipeline.until(keyOf(canceled), 'waiting')
    expect(calls(pipeline)).toMatchObject([{ operation: 'createProgramEvent', answered: 'pending' }])
    expect(await first).toEqual(acknowledged('SUCCESS', scheduled))
    expect(await second).toEqual(acknowledged('SUCCESS', canceled))
    expect(calls(pipeline)).toEqual([
      { operation: 'createProgramEvent', body: creation, answered: 200 },
      { operation: 'actionProgramEvent', body: cancellation, answered: 200 },
    ])
    expect(pipeline.dacs.programEvents.get('1315')?.history).toEqual(['X1SD', 'F1CN'])
  })

  test('a cancellation waits while its creation is tried again', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.failNext({ status: 503, operation: 'createProgramEvent' })
    pipeline.dacs.dropBefore({ operation: 'createProgramEvent' })
    const first = send(pipeline, scheduled)
    await reached(pipeline, 1)
    const second = send(pipeline, canceled)
    expect(await first).toEqual(acknowledged('SUCCESS', scheduled))
    expect(await second).toEqual(acknowledged('SUCCESS', canceled))
    expect(calls(pipeline)).toMatchObject([
      { operation: 'createProgramEvent', answered: 503 },
      { operation: 'createProgramEvent', answered: 'dropped' },
      { operation: 'createProgramEvent', answered: 200 },
      { operation: 'actionProgramEvent', answered: 200 },
    ])
    const { timeline } = await pipeline.until(keyOf(canceled), 'succeeded')
    expect(timeline.map(({ what }) => what)).toEqual(['accepted', 'released', 'attempt', 'called', 'settled'])
    await expectNoMail(pipeline)
  })

  test('all that happens to it reaches DACS in the order of acceptance', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ ms: 60 })
    const statuses = ['SCHEDULED', 'IN_PROGRESS', 'COMPLETED'] as const
    const told = []
    for (const [index, stageStatus] of statuses.entries()) {
      const message = { ...scheduled, messageId: `M-${index}`, stageStatus }
      told.push(send(pipeline, message))
      await pipeline.until(keyOf(message), 'accepted', 'waiting', 'processing', 'succeeded')
    }
    for (const [index, answer] of told.entries())
      expect(await answer).toEqual(acknowledged('SUCCESS', { messageId: `M-${index}` }))
    expect(pipeline.dacs.programEvents.get('1315')?.history).toEqual(['X1SD', 'X1IP', 'F1CO'])
  })

  test('a creation that DACS refused lets the next message through', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ operation: 'createProgramEvent', ms: 200 })
    const message = { ...scheduled, programCode: 'EV-WINTER' }
    const first = send(pipeline, message)
    await reached(pipeline, 1)
    const second = send(pipeline, canceled)
    expect(await first).toMatchObject({ body: { MsgAck: { ackType: 'ERROR' } } })
    const words = 'Program event not found: Event 1315 does not exist'
    expect(await second).toEqual(acknowledged('ERROR', canceled, words))
  })
})

test('another stage does not wait for one that is stuck', async () => {
  await using pipeline = await openPipeline()
  const other = { ...scheduled, messageId: 'STG-1316-1', stageId: '1316' }
  await send(pipeline, other)
  pipeline.dacs.latency({ operation: 'createProgramEvent', ms: 1_500 })
  const stuck = send(pipeline, scheduled)
  await reached(pipeline, 2)
  const action = { ...other, messageId: 'STG-1316-2', stageStatus: 'IN_PROGRESS' }
  expect(await send(pipeline, action)).toEqual(acknowledged('SUCCESS', action))
  expect(calls(pipeline).map(({ answered }) => answered)).toEqual([200, 'pending', 200])
  expect(await stuck).toEqual(acknowledged('SUCCESS', scheduled))
})

describe.concurrent('a creation that died, and whose cancellation DACS has answered since', () => {
  const value = 'The target has already answered a later message of the same line'

  /** DACS made the event, but said 503; then it took the cancellation. */
  async function openOvertaken() {
    const pipeline = await openPipeline(withoutRetries)
    pipeline.dacs.failNext({ status: 503, apply: true })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'Simulated failure'))
    expect(await send(pipeline, canceled)).toEqual(acknowledged('SUCCESS', canceled))
    return pipeline
  }

  test('is refused as superseded when DERMS repeats it: ERROR and an e-mail, no call', async () => {
    await using pipeline = await openOvertaken()
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('ERROR', scheduled, value))
    expect(await pipeline.until(keyOf(scheduled), 'superseded')).toMatchObject({
      outcome: 'ERROR',
      code: 'superseded',
      generation: 2,
    })
    expect((await mailed(pipeline, 'superseded', scheduled)).text).toContain(value)
    expect(pipeline.dacs.programEvents.get('1315')).toMatchObject({ status: 'Canceled', history: ['X1SD', 'F1CN'] })
    expect(pipeline.dacs.count('createProgramEvent')).toBe(1)
  })

  test('is refused as superseded when an operator resubmits it', async () => {
    await using pipeline = await openOvertaken()
    const done = await rerunMessage(pipeline.journal, keyOf(scheduled), { who: 'ops', why: 'test', onlyDead: true })
    expect(done).toEqual({ kind: 'ok', generation: 2 })
    expect(await pipeline.until(keyOf(scheduled), 'superseded')).toMatchObject({ code: 'superseded' })
    await mailed(pipeline, 'superseded', scheduled)
    expect(pipeline.dacs.count('createProgramEvent')).toBe(1)
    const queue = pipeline.journal.queues.all.find(({ name }) => name === 'stage-status')
    await eventually(async () => (await queue?.getFailedCount()) === 0)
  })
})

test('a dead creation can be sent again as long as DACS has answered nothing later, whatever it may have seen', async () => {
  await using pipeline = await openPipeline(withoutRetries)
  pipeline.dacs.failNext({ status: 503 })
  pipeline.dacs.dropBefore({ operation: 'actionProgramEvent' })
  expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'Simulated failure'))
  const lost = 'DACS_MAIN: actionProgramEvent lost its connection (ECONNRESET)'
  expect(await send(pipeline, canceled)).toEqual(acknowledged('FAILURE', canceled, lost))
  expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
  expect(await send(pipeline, canceled)).toEqual(acknowledged('SUCCESS', canceled))
  expect(pipeline.dacs.programEvents.get('1315')?.history).toEqual(['X1SD', 'F1CN'])
})
