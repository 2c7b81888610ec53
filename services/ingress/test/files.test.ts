import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { basic, openIngress } from './harness.ts'

const boundary = 'derms-7f1c'
const csv = 'nicId,headEndSystemId\nNIC-1,NEST\n'
const reservation = { drmsInstanceId: 'SITE1', messageId: 'RSV-1', eventId: '1301', stageId: '1315' }
const key = 'event-reservation.SITE1.RSV-1'

interface PartText {
  readonly head: Record<string, string>
  readonly body: string | Buffer
}

const jsonPart = (body: unknown = reservation): PartText => ({
  head: { 'Content-Type': 'application/json', 'Content-Disposition': 'form-data; name="request"' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const filePart = (body: string | Buffer = csv, head: Record<string, string> = {}): PartText => ({
  head: {
    'Content-Type': 'text/csv',
    'Content-Disposition': 'attachment; name="file"; filename="DeviceReservation_RSV-1.csv"',
    ...head,
  },
  body,
})

function multipart(...parts: PartText[]): Buffer {
  const rendered = parts.flatMap(({ head, body }) => [
    Buffer.from(
      `--${boundary}\r\n${Object.entries(head)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    ),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...rendered, Buffer.from(`--${boundary}--\r\n`)])
}

const connections = {
  DACS: { kind: 'dacs', baseUrl: 'http://127.0.0.1:9', auth: 'none' },
  DERMS: { kind: 'derms', baseUrl: 'http://127.0.0.1:9', auth: 'none' },
}

const openForFiles = (options: Parameters<typeof openIngress>[0] = {}) =>
  openIngress({ ...options, sections: { connections, ...options.sections } })

type Ingress = Awaited<ReturnType<typeof openForFiles>>

const send = ({ post }: Ingress, body: Buffer, type = `multipart/mixed; boundary=${boundary}`) =>
  post('event-reservation', body, { headers: { 'content-type': type } })

async function contentOf({ journal, field }: Ingress): Promise<string> {
  const reference = (await field(key, 'fileRef')) ?? ''
  return String(Buffer.concat(await Array.fromAsync(journal.payloads.open(reference))))
}

describe('JSON with a file', () => {
  test.each([
    ['as multipart/mixed', multipart(jsonPart(), filePart()), undefined],
    ['as multipart/form-data', multipart(jsonPart(), filePart()), `multipart/form-data; boundary="${boundary}"`],
    ['with the file first', multipart(filePart(), jsonPart()), undefined],
    [
      'under other names and types, or none',
      multipart(
        { head: { 'content-type': 'Application/vnd.x+JSON; charset=UTF-8' }, body: JSON.stringify(reservation) },
        { head: {}, body: csv },
      ),
      undefined,
    ],
    [
      'with a preamble and an epilogue',
      Buffer.concat([Buffer.from('This is MIME.\r\n'), multipart(jsonPart(), filePart()), Buffer.from('bye')]),
      undefined,
    ],
  ])('%s is answered 202 once both are durable', async (_, body, type) => {
    await using ingress = await openForFiles()
    expect(await send(ingress, body, type)).toMatchObject({ status: 202, body: undefined })
    expect(await contentOf(ingress)).toBe(csv)
    expect(await ingress.field(key, 'fileBytes')).toBe(String(csv.length))
    const [job] = (await ingress.journal.queues.all.find(({ name }) => name === 'event-reservation')?.getJobs()) ?? []
    expect(job?.data).toEqual({ key })
  })

  test('its content is kept to the byte, line ends and boundaries in it included', async () => {
    await using ingress = await openForFiles()
    const content = `--${boundary.slice(0, -1)}\r\n\r\n--${boundary.slice(1)}--\r\n\n--\r\r\n${csv}\r\n`
    expect((await send(ingress, multipart(filePart(content), jsonPart()))).status).toBe(202)
    expect(await contentOf(ingress)).toBe(content)
  })

  test('arrives in pieces of any size, also in the middle of a boundary', async () => {
    await using ingress = await openForFiles()
    const body = multipart(jsonPart(), filePart())
    const sending = open(ingress)
    for (const byte of body) sending.request.write(Buffer.from([byte]))
    sending.request.end()
    expect(await sending.answered).toMatchObject({ status: 202 })
    expect(await contentOf(ingress)).toBe(csv)
  })

  test('is found by the name of its file, which may be written in any way and never holds a path', async () => {
    await using ingress = await openForFiles()
    for (const [disposition, name] of [
      ['attachment; filename="../../etc/Device \\"1\\".csv"', 'Device "1".csv'],
      ["attachment; filename=x.csv; filename*=UTF-8''Ger%C3%A4te%201.csv", 'Geräte 1.csv'],
      ['attachment; filename="C:\\\\temp\\\\a.csv"', 'a.csv'],
      [`attachment; filename="${'n'.repeat(300)}.csv"`, 'n'.repeat(120)],
      ['attachment', ''],
    ] as const) {
      await send(ingress, multipart(jsonPart(), filePart(csv + disposition, { 'Content-Disposition': disposition })))
      expect(await ingress.field(key, 'fileName')).toBe(name)
      if (name) expect(await ingress.redis.smembers(`${ingress.journal.base}:i:${name.toLowerCase()}`)).toEqual([key])
    }
  })

  test('a large file goes to the payload store', async () => {
    await using ingress = await openForFiles()
    const rows = Buffer.alloc(16 * 2 ** 20, 'NIC-0001,NEST\n')
    expect((await send(ingress, multipart(jsonPart(), filePart(rows)))).status).toBe(202)
    expect(await ingress.field(key, 'fileBytes')).toBe(String(rows.length))
    expect(await ingress.field(key, 'fileRef')).toMatch(/^s-/)
  })
})

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
      'another charset',
      multipart(jsonPart(), filePart(csv, { 'Content-Type': 'text/csv; charset=utf-16' })),
      415,
      'unsupported-media-type',
      /charset/,
    ],
    [
      'a transfer encoding',
      multipart(jsonPart(), filePart(csv, { 'Content-Transfer-Encoding': 'base64' })),
      415,
      'unsupported-media-type',
      /Content-Transfer-Encoding/,
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
    ['multipart/related; boundary=x', 415],
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
        detail: 'Routing has no row for DRMS_Instance "SITE1", and there are 2 derms connections',
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

/** A request whose body is sent piece by piece. */
function open({ url }: Ingress, headers: Record<string, string> = {}) {
  const sending = request(`${url}/derms/reserveDevice`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/mixed; boundary=${boundary}`,
      authorization: basic('derms', 'pw-derms'),
      ...headers,
    },
  })
  sending.on('error', () => undefined)
  const answered = once(sending, 'response').then(
    ([response]) => {
      response.resume()
      return { status: response.statusCode as number }
    },
    () => undefined,
  )
  return { request: sending, answered }
}
