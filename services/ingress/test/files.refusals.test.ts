import { describe, expect, test } from 'vitest'
import {
  boundary,
  connections,
  csv,
  filePart,
  jsonPart,
  multipart,
  open,
  openForFiles,
  reservation,
  send,
} from './file-requests.ts'

describe('refusals leave nothing behind', () => {
  const big = { 'X-Long': 'x'.repeat(9_000) }
  test.each<[string, Buffer, number, string, RegExp]>([
    ['no file', multipart(jsonPart()), 400, 'malformed-body', /has no file/],
    ['no JSON part', multipart(filePart()), 400, 'malformed-body', /no part of type application\/json/],
    ['nothing', multipart(), 400, 'malformed-body', /no part of type/],
    ['two files', multipart(filePart(), filePart()), 400, 'malformed-body', /two files/],
    ['two JSON parts', multipart(jsonPart(), jsonPart()), 400, 'malformed-body', /two JSON parts/],
    ['three parts', multipart(jsonPart(), filePart(), filePart()), 400, 'malformed-body', /more than 2 parts/],
    ['broken JSON', multipart(filePart(), jsonPart('{"messageId":')), 400, 'malformed-body', /not JSON/],
    [
      'no last boundary',
      multipart(filePart(), jsonPart()).subarray(0, -6),
      400,
      'malformed-body',
      /last boundary is missing/,
    ],
    [
      'broken off in the file',
      multipart(jsonPart(), filePart()).subarray(0, -30),
      400,
      'malformed-body',
      /last boundary is missing/,
    ],
    ['no boundary at all', Buffer.from('nicId\nNIC-1\n'), 400, 'malformed-body', /boundary/],
    ['an endless header', Buffer.from(`--${boundary}\r\nA: b`), 400, 'malformed-body', /boundary|header/],
    [
      'a long header',
      multipart({ ...filePart(), head: { ...big } }, jsonPart()),
      400,
      'malformed-body',
      /header of a part is too large/,
    ],
    [
      'many headers',
      multipart(
        { ...filePart(), head: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`X-${i}`, 'x'])) },
        jsonPart(),
      ),
      400,
      'malformed-body',
      /header of a part is too large/,
    ],
    [
      'a charset that nobody knows',
      multipart(jsonPart(), filePart(csv, { 'Content-Type': 'text/csv; charset=utf-99' })),
      415,
      'unsupported-media-type',
      /charset/,
    ],
    [
      'content that is not in the charset it declares',
      multipart(
        jsonPart(),
        filePart(Buffer.from([0x81, 0x00, 0xff]), { 'Content-Type': 'text/csv; charset=shift_jis' }),
      ),
      400,
      'malformed-body',
      /not in the charset/,
    ],
    [
      'a transfer encoding that nobody knows',
      multipart(jsonPart(), filePart(csv, { 'Content-Transfer-Encoding': 'x-uuencode' })),
      415,
      'unsupported-media-type',
      /Content-Transfer-Encoding/,
    ],
    [
      'content that is not base64, as it says',
      multipart(jsonPart(), filePart(csv, { 'Content-Transfer-Encoding': 'base64' })),
      400,
      'malformed-body',
      /not base64/,
    ],
    [
      'a broken contract',
      multipart(filePart(), jsonPart({ ...reservation, messageId: '' })),
      400,
      'contract-violation',
      /breaks its contract/,
    ],
    [
      'neither stage nor event',
      multipart(filePart(), jsonPart({ messageId: 'RSV-1' })),
      400,
      'contract-violation',
      /breaks its contract/,
    ],
  ])('%s', async (_, body, status, code, detail) => {
    await using ingress = await openForFiles()
    const answer = await send(ingress, body)
    expect(answer).toMatchObject({ status, body: { code } })
    expect(answer.body.detail).toMatch(detail)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await ingress.recorded()).toEqual([])
  })

  test.each([
    ['application/json', 415],
    ['multipart/alternative; boundary=x', 415],
    ['multipart/mixed', 400],
    ['multipart/form-data; boundary=""', 400],
    [`multipart/mixed; boundary=${'x'.repeat(71)}`, 400],
  ])('another Content-Type: %s', async (type, status) => {
    await using ingress = await openForFiles()
    expect(await send(ingress, multipart(jsonPart(), filePart()), type)).toMatchObject({ status })
    expect(await ingress.recorded()).toEqual([])
  })

  test('a file or JSON part above its limit, as soon as it is', async () => {
    await using ingress = await openForFiles({ ingress: { maxFileBytes: 5_000_000, maxJsonBytes: 1_000 } })
    const large = multipart(jsonPart(), filePart('x'.repeat(5_000_001)))
    expect(await send(ingress, large)).toMatchObject({
      status: 413,
      body: { code: 'too-large', detail: 'The file is larger than 5000000 bytes' },
    })
    const json = multipart(filePart(), jsonPart({ ...reservation, more: 'x'.repeat(1_000) }))
    expect(await send(ingress, json)).toMatchObject({
      status: 413,
      body: { code: 'too-large', detail: 'The JSON part is larger than 1000 bytes' },
    })
    expect(await ingress.recorded()).toEqual([])
  })

  test('an instance that is not the client’s own', async () => {
    const derms = {
      name: 'derms',
      instances: ['SITE2'],
      flows: ['event-reservation'],
      credentials: [{ basic: { username: 'derms', password: 'pw-derms' } }],
    }
    await using ingress = await openForFiles({ ingress: { clients: [derms] } })
    expect(await send(ingress, multipart(filePart(), jsonPart()))).toMatchObject({
      status: 403,
      body: { code: 'not-allowed' },
    })
    expect(await ingress.recorded()).toEqual([])
  })

  test('no way to DACS or back to DERMS: nobody could be told how it ended', async () => {
    const two = { ...connections, DERMS2: connections.DERMS }
    await using ingress = await openForFiles({ sections: { connections: two } })
    expect(await send(ingress, multipart(filePart(), jsonPart()))).toMatchObject({
      status: 400,
      body: {
        code: 'routing-missing',
        detail: 'Routing leads nowhere in DERMS for this drmsInstanceId, and there is not exactly one DERMS connection',
      },
    })
    await using none = await openForFiles({ sections: { connections: { DERMS: connections.DERMS } } })
    expect(await send(none, multipart(filePart(), jsonPart()))).toMatchObject({
      status: 400,
      body: { code: 'routing-missing' },
    })
    expect([...(await ingress.recorded()), ...(await none.recorded())]).toEqual([])
  })

  test.each([
    ['in the JSON part', 150],
    ['in the file', 330],
    ['in the middle of a file of 5 MB', 5_000_000],
  ])('a connection that breaks %s', async (_, bytes) => {
    await using ingress = await openForFiles()
    const body = multipart(jsonPart(), filePart(Buffer.alloc(6_000_000, 'NIC-0001,NEST\n')))
    const { request: sending, answered } = open(ingress, { 'content-length': String(body.length) })
    await new Promise<unknown>((written) => sending.write(body.subarray(0, bytes), written))
    sending.destroy()
    await answered
    await expect
      .poll(() => ingress.logged.some((line) => line.includes('broke off') || line.includes('event-reservation 400')))
      .toBe(true)
    expect(await ingress.recorded()).toEqual([])
  })

  test('a sender that stalls', async () => {
    await using ingress = await openForFiles({ tuning: { idleMs: 200 } })
    const { request: sending, answered } = open(ingress)
    sending.write(multipart(jsonPart(), filePart()).subarray(0, -40))
    expect(await answered).toMatchObject({ status: 408 })
    sending.destroy()
    expect(await ingress.recorded()).toEqual([])
  })
})
