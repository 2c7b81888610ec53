import { ackTime } from '@tieline/contracts/date-time'
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

describe('a message without an id', () => {
  const without = ({ messageId: _, ...message }: { messageId: string; [field: string]: unknown }) => message
  const [schedule, cancel] = [without(scheduled), without(canceled)]
  const operations = (pipeline: Parameters<typeof calls>[0]) => calls(pipeline).map(({ operation }) => operation)

  test('is carried out anew once another one of its stage came after it; what nothing overtook is a repeat', async () => {
    await using pipeline = await openPipeline()
    const expected: string[] = []
    for (const [message, operation] of [
      [schedule, 'createProgramEvent'],
      [schedule, undefined],
      [cancel, 'actionProgramEvent'],
      [schedule, 'createProgramEvent'],
      [schedule, undefined],
      [cancel, 'actionProgramEvent'],
    ] as const) {
      expect(await send(pipeline, message)).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'SUCCESS' } } })
      if (operation !== undefined) expected.push(operation)
      expect(operations(pipeline)).toEqual(expected)
    }
    expect((await pipeline.messages()).length).toBe(4)
  })

  test('is a repeat all the same while its sender was told to come again, and does not follow what it precedes', async () => {
    await using pipeline = await openPipeline({ sections: { flows: { 'stage-status': { replyWithinS: 1 } } } })
    pipeline.dacs.failNext({ status: 503, times: 2 })
    const told = { body: { MsgAck: { ackType: 'FAILURE', responses: { response: [{ value: 'IN_PROGRESS' }] } } } }
    expect(await send(pipeline, schedule)).toMatchObject(told)
    const canceling = send(pipeline, cancel)
    const collecting = send(pipeline, schedule)
    expect(await collecting).toMatchObject({ body: { MsgAck: { ackType: expect.any(String) } } })
    await canceling
    await eventually(async () => pipeline.dacs.programEvents.get('1315')?.history.length === 2)
    expect(pipeline.dacs.programEvents.get('1315')?.history).toEqual(['X1SD', 'F1CN'])
    expect((await pipeline.messages()).length).toBe(2)
  })
})

describe('the same message', () => {
  test('twenty times at once: one call, and everybody is told the same', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ ms: 100 })
    const told = await Promise.all(Array.from({ length: 20 }, () => send(pipeline, scheduled)))
    expect(new Set(told.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(told[0]).toEqual(acknowledged('SUCCESS', scheduled))
    expect(calls(pipeline)).toEqual([{ operation: 'createProgramEvent', body: creation, answered: 200 }])
    expect(await pipeline.until(keyOf(scheduled), 'succeeded')).toMatchObject({ generation: 1, attempts: 1 })
  })

  test('after success: the stored reply again, to the letter, without a call, whatever order its fields have', async () => {
    await using pipeline = await openPipeline()
    const first = await send(pipeline, scheduled)
    const second = ackTime(Date.now())
    await eventually(() => ackTime(Date.now()) !== second)
    const turned = Object.fromEntries(Object.entries(scheduled).toReversed())
    expect(await send(pipeline, turned)).toEqual(first)
    expect(calls(pipeline)).toHaveLength(1)
    const { generation, timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(generation).toBe(1)
    expect(timeline.at(-1)).toMatchObject({ what: 'replayed', client: 'derms' })
  })

  test('after a refusal: it runs again, and succeeds once DACS has been mended', async () => {
    await using pipeline = await openPipeline()
    const message = { ...scheduled, programCode: 'EV-WINTER' }
    expect(await send(pipeline, message)).toMatchObject({ body: { MsgAck: { ackType: 'ERROR' } } })
    pipeline.dacs.addProgram('EV-WINTER')
    expect(await send(pipeline, message)).toEqual(acknowledged('SUCCESS', message))
    expect(calls(pipeline).map(({ answered }) => answered)).toEqual([400, 200])
    expect(await pipeline.until(keyOf(message), 'succeeded')).toMatchObject({ generation: 2, changed: false })
  })

  test('after a failure: it runs again, and its dead letter is resolved', async () => {
    await using pipeline = await openPipeline(withoutRetries)
    pipeline.dacs.failNext({ status: 500 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'Simulated failure'))
    await mailed(pipeline, 'target-error', scheduled)
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    const { generation, timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(generation).toBe(2)
    expect(timeline).toContainEqual(expect.objectContaining({ what: 'resolved', generation: 1 }))
    const queue = pipeline.journal.queues.all.find(({ name }) => name === 'stage-status')
    await expect.poll(() => queue?.getFailedCount()).toBe(0)
    expect(pipeline.mailbox.mails).toHaveLength(1)
  })
})

describe('the same id with another payload', () => {
  const changed = { ...canceled, messageId: scheduled.messageId }

  test('after success: a generation of its own, flagged, its calls anew', async () => {
    await using pipeline = await openPipeline()
    await send(pipeline, scheduled)
    expect(await send(pipeline, changed)).toEqual(acknowledged('SUCCESS', changed))
    expect(calls(pipeline).map(({ body }) => body)).toEqual([creation, cancellation])
    expect(await pipeline.until(keyOf(changed), 'succeeded')).toMatchObject({
      generation: 2,
      changed: true,
      effects: [{ id: 'act', state: 'confirmed' }],
    })
  })

  test('while the first still runs: the first is told that it was superseded, the second waits for its call', async () => {
    await using pipeline = await openPipeline()
    pipeline.dacs.latency({ operation: 'createProgramEvent', ms: 500 })
    const first = send(pipeline, scheduled)
    await reached(pipeline, 1)
    const second = send(pipeline, changed)
    expect(await first).toEqual(acknowledged('ERROR', scheduled, 'SUPERSEDED'))
    expect(await second).toEqual(acknowledged('SUCCESS', changed))
    expect(calls(pipeline)).toEqual([
      { operation: 'createProgramEvent', body: creation, answered: 200 },
      { operation: 'actionProgramEvent', body: cancellation, answered: 200 },
    ])
    expect(await pipeline.until(keyOf(changed), 'succeeded')).toMatchObject({ generation: 2, changed: true })
  })

  test('another instance is another message', async () => {
    await using pipeline = await openPipeline()
    const other = { ...scheduled, drmsInstanceId: 'SITE2', stageId: '77' }
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    expect(await send(pipeline, other)).toEqual(acknowledged('SUCCESS', other))
    expect([...pipeline.dacs.programEvents.keys()]).toEqual(['1315', '77'])
    expect((await pipeline.messages()).toSorted()).toEqual([keyOf(scheduled), 'stage-status.SITE2.STG-1315-1'])
  })
})

describe.concurrent('a result that takes longer than the reply may', () => {
  const impatient = { sections: { flows: { 'stage-status': { replyWithinS: 1 } } } }

  test('is told provisionally, work goes on, and the repeat collects it without another call', async () => {
    await using pipeline = await openPipeline(impatient)
    pipeline.dacs.latency({ ms: 1_400 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'IN_PROGRESS'))
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    expect(calls(pipeline)).toEqual([{ operation: 'createProgramEvent', body: creation, answered: 200 }])
    const { generation, timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(generation).toBe(1)
    expect(timeline.map(({ what }) => what)).toEqual([
      'accepted',
      'attempt',
      'provisional',
      'attached',
      'called',
      'settled',
      'replayed',
    ])
    await expectNoMail(pipeline)
  })

  test('is collected by a repeat that comes after a bad end, too: then it runs again', async () => {
    await using pipeline = await openPipeline(impatient)
    pipeline.dacs.latency({ ms: 1_300 })
    pipeline.dacs.failNext({ status: 400 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'IN_PROGRESS'))
    await pipeline.until(keyOf(scheduled), 'refused')
    pipeline.dacs.latency({ ms: 0 })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
  })

  test('is told provisionally at once when no worker lives', async () => {
    await using pipeline = await openPipeline({ services: [] })
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('FAILURE', scheduled, 'IN_PROGRESS'))
    expect(await pipeline.until(keyOf(scheduled), 'accepted')).toMatchObject({ attempts: 0 })
  })
})

describe.concurrent('a caller that hangs up', () => {
  async function hangUp(status: number | undefined) {
    const pipeline = await openPipeline()
    pipeline.dacs.latency({ ms: 400 })
    if (status !== undefined) pipeline.dacs.failNext({ status })
    const line = new AbortController()
    const told = send(pipeline, scheduled, { signal: line.signal })
    await reached(pipeline, 1)
    line.abort(new Error('hung up'))
    await expect(told).rejects.toThrow('hung up')
    return pipeline
  }

  test('on what ends badly is made known by an e-mail, besides the one about the end itself', async () => {
    await using pipeline = await hangUp(400)
    await pipeline.until(keyOf(scheduled), 'refused')
    await mailed(pipeline, 'target-refused', scheduled)
    const { text } = await mailed(pipeline, 'reply-uncollected', scheduled)
    expect(text).toContain('The result ERROR of a message was not collected by its sender')
    expect(pipeline.mailbox.mails).toHaveLength(2)
  })

  test('on success troubles nobody', async () => {
    await using pipeline = await hangUp(undefined)
    const { timeline } = await pipeline.until(keyOf(scheduled), 'succeeded')
    expect(timeline.map(({ what }) => what)).toContain('hung-up')
    expect(await pipeline.redis.zcard(`${pipeline.journal.base}:uncollected`)).toBe(0)
    await expectNoMail(pipeline)
  })
})
