import { describe, expect, test } from 'vitest'
import { examples } from '../src/examples.ts'
import { farWordsLengthMax, readFarWords } from '../src/far-words.ts'

const golden = examples['problem-detail-document']
const detail = 'Enrollment with transaction id DR-ENR-000123 already exists'
const duplicate = { text: `Duplicate enrollment request: ${detail}`, messageNumber: 10589 }

describe('words and number of an error document of DACS', () => {
  test.each([
    ['wrapped', golden],
    ['bare', golden.problemDetailDocument],
    ['in a list', [golden.problemDetailDocument]],
    ['in a list under the root', { problemDetailDocument: [golden.problemDetailDocument] }],
    ['as a list of wrapped ones', [golden, golden]],
    ['with the server message beside', { title: 'Duplicate enrollment request', detail, messageNumber: '10589' }],
    ['with a root in capitals', { PROBLEMDETAILDOCUMENT: golden.problemDetailDocument }],
  ])('%s', (_, body) => expect(readFarWords(body)).toEqual(duplicate))

  test('a document without title and detail has the text of its server message, or the number', () => {
    expect(readFarWords({ detail: '<![CDATA[ ]]>', serverMessage: { messageText: 'M' } })).toEqual({ text: 'M' })
    expect(readFarWords({ serverMessage: { messageNumber: 31002 } })).toEqual({
      text: 'Message 31002',
      messageNumber: 31002,
    })
    expect(readFarWords({ title: 'T', detail: 'T' })).toEqual({ text: 'T' })
  })

  test('of several different numbers none speaks for the whole answer', () => {
    const documents = [
      { title: 'A', serverMessage: { messageNumber: 10589 } },
      { title: 'B', serverMessage: { messageNumber: 10590 } },
    ]
    expect(readFarWords({ problemDetailDocument: documents })).toEqual({ text: 'A; B' })
  })
})

const ack = (...responses: object[]) => ({ MsgAck: { ackType: 'ERROR', whenISO: '', responses } })

test.each([
  [
    'RFC 9457',
    { type: 'about:blank', title: 'Bad Request', status: 400, detail: 'No such device', instance: '/x' },
    'Bad Request: No such device',
  ],
  [
    'status, error, message, path',
    { timestamp: 1, status: 400, error: 'Bad Request', message: 'Division XX is unknown', path: '/enroll' },
    'Division XX is unknown',
  ],
  ['the same without a message', { status: 503, error: 'Service Unavailable', message: '' }, 'Service Unavailable'],
  ['an acknowledgment', ack({ id: 'A', value: 'No such device', responseCode: 'ERROR' }), 'No such device'],
  [
    'an acknowledgment of several',
    ack(
      { id: 'A', value: 'enrolled', responseCode: 'SUCCESS' },
      { id: 'B', value: 'No such device', responseCode: 'ERROR' },
      { id: 'C', value: 'No such program', responseCode: 'FAILURE' },
    ),
    'No such device; No such program',
  ],
  [
    'an acknowledgment whose words have another name',
    { MsgAck: { ackType: 'ERROR', responses: { response: { id: 'A', message: 'No such device' } } } },
    'No such device',
  ],
  ['message', { message: 'Quota exceeded' }, 'Quota exceeded'],
  [
    'OAuth 2',
    { error: 'invalid_client', error_description: 'Client authentication failed' },
    'Client authentication failed',
  ],
  ['OAuth 2 without a description', { error: 'invalid_scope' }, 'invalid_scope'],
  ['an error inside', { error: { code: 'X', message: 'Not now' } }, 'Not now'],
  [
    'a message with a list of errors',
    { message: 'Validation failed', errors: [{ field: 'a', defaultMessage: 'a is missing' }, 'b is too long'] },
    'Validation failed; a is missing; b is too long',
  ],
  ['a fault of a gateway', { fault: { faultstring: 'Rate limit', detail: { errorcode: 'x' } } }, 'Rate limit'],
  ['a text in quotation marks', 'Division is unknown', 'Division is unknown'],
  ['plain text', ' upstream connect\r\n error\u0000 or disconnect ', 'upstream connect error or disconnect'],
  [
    'a page',
    '<!DOCTYPE html>\n<html><head><title> 502 Bad\n Gateway </title></head><body><h1>Oops</h1></body></html>',
    '502 Bad Gateway',
  ],
  ['a page without a title', '<html><body><h1>Wait &amp; see</h1><p>nginx</p></body></html>', 'Wait & see'],
  ['a page of body alone', '<html><style>p{}</style><body>Service <b>away</b></body></html>', 'Service away'],
  [
    'XML',
    '<?xml version="1.0"?><p:problem><p:title>Refused</p:title><p:detail>No device</p:detail></p:problem>',
    'Refused: No device',
  ],
] as const)('words are read from %s', (_, body, text) => expect(readFarWords(body)).toEqual({ text }))

test.each([
  undefined,
  null,
  '',
  ' \n',
  true,
  [],
  {},
  { problemDetailDocument: 1 },
  { status: 500, path: '/x', name: 'Reyes' },
  { messageNumber: 'x' },
  { MsgAck: { ackType: 'ERROR' } },
  '<html></html>',
])('nothing foreign is taken for words: %j', (body) => expect(readFarWords(body)).toBeUndefined())

test('a long text is cut, and not through a character', () => {
  const text = readFarWords({ title: 'x'.repeat(farWordsLengthMax - 1), detail: 'y' })?.text
  expect(text).toHaveLength(farWordsLengthMax)
  expect(readFarWords(`${'x'.repeat(farWordsLengthMax - 1)}😀`)?.text.isWellFormed()).toBe(true)
})

test('no shape costs more than a moment', () => {
  let deep: unknown = 'end'
  for (let i = 0; i < 1_000; i++) deep = { error: [deep] }
  const startedAt = performance.now()
  for (const body of [
    deep,
    '<title'.repeat(200_000),
    '<'.repeat(1_000_000),
    '&#'.repeat(500_000),
    Array(1e6).fill('x'),
  ])
    readFarWords(body)
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})
