import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ackTypes, type MsgAck, readMsgAck, renderMsgAck } from '../src/msg-ack.ts'

const response = { id: 'R1', responseCode: 'SUCCESS', responseTimeISO: '2024-09-01T18:00:04.000Z' }
const ack: MsgAck = { ackType: 'SUCCESS', whenISO: '2024-09-01T18:00:05.000Z', responses: [response] }

describe('MsgAck', () => {
  test('is written with its wrapper, or without where an installation says so', () => {
    const body = { ackType: 'SUCCESS', whenISO: '2024-09-01T18:00:05.000Z', responses: { response: [response] } }
    expect(renderMsgAck(ack, { msgAckWrapper: true })).toEqual({ MsgAck: body })
    expect(renderMsgAck(ack, { msgAckWrapper: false })).toEqual(body)
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
      fc.property(acks, fc.boolean(), (written, msgAckWrapper) => {
        expect(readMsgAck(JSON.parse(JSON.stringify(renderMsgAck(written, { msgAckWrapper }))))).toEqual(written)
      }),
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
