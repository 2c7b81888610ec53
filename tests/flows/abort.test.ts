import { examples } from '@tieline/contracts/examples'
import { eventually } from '@tieline/testkit/eventually'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { enrollmentRecord, enrollmentRequest, keyOf } from './golden-messages.ts'

let pipeline: Pipeline

beforeAll(async () => {
  pipeline = await startPipeline({ redisUrl: inject('redisUrl') })
})
beforeEach(() => {
  pipeline.dacs.reset()
  pipeline.derms.reset()
})
afterAll(() => pipeline[Symbol.asyncDispose]())

const abort = async (key: string) => {
  const { code, out, err } = await pipeline.tieline('messages', 'abort', key, '--reason', 'the event is off')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain(`${key} is discarded.`)
}

const response = (id: string, responseCode: string, value?: string) => ({
  id,
  ...(value !== undefined && { value }),
  responseCode,
  responseTimeISO: expect.any(String),
})
const ended = (...responses: object[]) => ({
  status: 200,
  body: { MsgAck: { ackType: 'ERROR', whenISO: expect.any(String), responses: { response: responses } } },
})

describe('who waits for a message that an operator ends', () => {
  it('is told ERROR, and the next status of the stage goes', async () => {
    const [scheduled, canceled] = [examples['stage-status'], examples['stage-status.cancel']]
    pipeline.dacs.failNext({ status: 503, times: 100, operation: 'createProgramEvent' })
    const waiting = pipeline.post('stage-status', scheduled)
    await eventually(() => pipeline.dacs.received.length >= 1)
    const next = pipeline.post('stage-status', canceled)
    await pipeline.until(keyOf('stage-status', canceled), 'waiting')
    await abort(keyOf('stage-status', scheduled))
    expect(await waiting).toMatchObject(ended(response(scheduled.messageId, 'ERROR', 'ABORTED')))
    expect(await next).toMatchObject({ body: { MsgAck: { ackType: 'ERROR' } } })
    expect(pipeline.dacs.received.at(-1)?.operation).toBe('actionProgramEvent')
    const key = keyOf('stage-status', scheduled)
    const { err } = await pipeline.tieline('messages', 'abort', key, '--reason', 'twice')
    expect(err).toContain(`${key} has ended already; nothing was changed.`)
  })

  it('of F1 is told for each record what DACS said, as far as it has said something', async () => {
    const body = enrollmentRequest(enrollmentRecord('abort-1'), enrollmentRecord('abort-2'))
    pipeline.dacs.failNext({ status: 503, times: 100, operation: 'enrollProgram', containing: 'abort-2' })
    const waiting = pipeline.post('enrollment-request', body)
    await eventually(() => pipeline.dacs.received.length >= 2)
    await abort(keyOf('enrollment-request', body))
    const enrolled = pipeline.dacs.enrollments.get('abort-1')?.enrollmentId
    expect(enrolled).toEqual(expect.any(String))
    expect(await waiting).toMatchObject(
      ended(response('abort-1', 'SUCCESS', enrolled), response('abort-2', 'ERROR', 'ABORTED')),
    )
  })

  it('of F2 gets a fault', async () => {
    const body = examples['enrollment-sync']
    pipeline.derms.failNext({ status: 503, times: 100, operation: 'enroll' })
    const waiting = pipeline.post('enrollment-sync', body)
    await eventually(() => pipeline.derms.received.length >= 1)
    await abort(keyOf('enrollment-sync', body))
    const told = await waiting
    expect(told.status).toBe(500)
    expect(JSON.stringify(told.body)).toContain('"o:errorCode":"ABORTED"')
  })

  it('of F6 and F9 gets an acknowledgment', async () => {
    const body = examples['event-reservation']
    pipeline.dacs.failNext({ status: 503, times: 100 })
    const row = await pipeline.derms.sendFile('event-reservation', body, {
      name: 'devices.csv',
      content: 'nicId,headEndSystemId\nNIC-1,NEST\n',
    })
    await pipeline.until(keyOf('event-reservation', body), 'retrying')
    await abort(keyOf('event-reservation', body))
    const { acks } = await pipeline.derms.whenDone(row.id)
    const value = 'ABORTED: An operator ended the message before it was done'
    expect(acks).toMatchObject([
      { ackType: 'ERROR', responses: { response: [response(body.messageId, 'ERROR', value)] } },
    ])
    const { timeline } = await pipeline.until(keyOf('event-reservation', body), 'discarded')
    expect(timeline.map(({ what }) => what)).toEqual(expect.arrayContaining(['aborted', 'acknowledging']))
    expect(pipeline.dacs.received.some(({ operation }) => operation === 'reserveDevice')).toBe(false)
  })
})
