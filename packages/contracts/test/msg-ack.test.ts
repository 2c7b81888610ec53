import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ackTypes, type MsgAck, msgAckListPlaces, readMsgAck, renderMsgAck, usualMsgAckForm } from '../src/msg-ack.ts'

const response = { id: 'R1', responseCode: 'SUCCESS', responseTimeISO: '2024-09-01T18:00:04.000Z' }
const ack: MsgAck = { ackType: 'SUCCESS', whenISO: '2024-09-01T18:00:05.000Z', responses: [response] }

describe('MsgAck', () => {
  test('is written with its wrapper, or without where an installation says so', () => {
    const body = { ackType: 'SUCCESS', whenISO: '2024-09-01T18:00:05.000Z', responses: { response: [response] } }
    expect(renderMsgAck(ack, usualMsgAckForm)).toEqual({ MsgAck: body })
    expect(renderMsgAck(ack, { ...usualMsgAckForm, msgAckWrapper: false })).toEqual(body)
  })

  test('that was written is read back the same', () => {
    const text = fc.string({ minLength: 1 })
    const acks = fc.record({
      ackType: fc.constantFrom(...ackTypes),
      whenISO: text,
      responses: fc.array(
        fc.record(
          { id: text, value: text, responseCode: text, responseTimeISO: text, dacsMessageId: text },
          { requiredKeys: ['responseCode', 'responseTimeISO'], noNullPrototype: true },
        ),
      ),
    })
    fc.assert(
      fc.property(
        acks,
        fc.boolean(),
        fc.constantFrom(...msgAckListPlaces),
        (written, msgAckWrapper, msgAckResponses) => {
          const form = { ...usualMsgAckForm, msgAckWrapper, msgAckResponses }
          expect(readMsgAck(JSON.parse(JSON.stringify(renderMsgAck(written, form))))).toEqual(written)
        },
      ),
    )
  })

  test.each([
    ['a list under response', { response: [response] }],
    ['one object under response', { response }],
    ['a plain list', [response]],
  ])('is read with its responses as %s', (_, responses) => {
    expect(readMsgAck({ MsgAck: { ...ack, responses } })).toEqual(ack)
    expect(readMsgAck({ ...ack, responses })).toEqual(ack)
  })

  test('has its responses where the installation wants them, under the names that it wants', () => {
    const response = { id: 'M', value: 'V', responseCode: 'ERROR', responseTimeISO: 'T', dacsMessageId: 'D' }
    const written = { ackType: 'ERROR', whenISO: 'W', responses: [response] } as const
    const head = { ackType: 'ERROR', whenISO: 'W' }
    const form = { ...usualMsgAckForm, msgAckWrapper: false }
    const render = (change: object) => renderMsgAck({ ...written, responses: [response] }, { ...form, ...change })
    expect(render({})).toEqual({ ...head, responses: { response: [response] } })
    expect(render({ msgAckResponses: 'responses' })).toEqual({ ...head, responses: [response] })
    expect(render({ msgAckResponses: 'response' })).toEqual({ ...head, response: [response] })
    const msgAckNames = { id: 'recordId', value: 'text', responseCode: 'result' }
    expect(render({ msgAckResponses: 'response', msgAckNames })).toEqual({
      ...head,
      response: [{ recordId: 'M', text: 'V', result: 'ERROR', responseTimeISO: 'T', dacsMessageId: 'D' }],
    })
  })

  test('is read with its responses in any place, as a list or as one object', () => {
    const response = { dacsMessageId: '7' }
    for (const body of [{ responses: response }, { response }, { response: [response] }, { responses: { response } }]) {
      expect(readMsgAck({ ackType: 'SUCCESS', ...body })?.responses).toMatchObject([response])
    }
  })

  test.each([undefined, null, {}, { response: null }, []])('is read with no responses: %j', (responses) => {
    expect(readMsgAck({ MsgAck: { ackType: 'FAILURE', responses } })).toEqual({
      ackType: 'FAILURE',
      whenISO: '',
      responses: [],
    })
  })

  test('gives a response without a code that of the whole, and keeps the place of a broken one', () => {
    expect(
      readMsgAck({ ackType: 'error', responses: [null, { dacsMessageId: 12, responseCode: '' }] })?.responses,
    ).toEqual([
      { responseCode: 'ERROR', responseTimeISO: '' },
      { responseCode: 'ERROR', responseTimeISO: '', dacsMessageId: '12' },
    ])
  })

  test.each([undefined, null, '', 'SUCCESS', [], {}, { MsgAck: null }, { ackType: 'FAIL' }, { ackType: 1 }])(
    'is not read out of %j',
    (body) => expect(readMsgAck(body)).toBeUndefined(),
  )
})
