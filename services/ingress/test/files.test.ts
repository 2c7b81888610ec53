import { describe, expect, test } from 'vitest'
import {
  boundary,
  csv,
  filePart,
  type Ingress,
  jsonPart,
  key,
  multipart,
  open,
  openForFiles,
  type PartText,
  reservation,
  send,
} from './file-requests.ts'
import { basic, derms } from './harness.ts'

async function contentOf({ journal, field }: Ingress): Promise<string> {
  const reference = (await field(key, 'fileRef')) ?? ''
  return String(Buffer.concat(await Array.fromAsync(journal.payloads.open(reference))))
}

const json = JSON.stringify(reservation)
const withLineFeeds = (body: Buffer) => Buffer.from(body.toString().replaceAll('\r\n', '\n'))
const encoded = ({ head, body }: PartText, encoding: 'base64'): PartText => ({
  head: { ...head, 'Content-Transfer-Encoding': encoding },
  body: Buffer.from(body).toString(encoding),
})

describe('JSON with a file', () => {
  test.each([
    ['as multipart/mixed', multipart(jsonPart(), filePart()), undefined],
    ['as multipart/related', multipart(jsonPart(), filePart()), `multipart/related; boundary=${boundary}`],
    ['with lines that end with LF', withLineFeeds(multipart(jsonPart(), filePart())), undefined],
    ['in base64', multipart(encoded(jsonPart(), 'base64'), encoded(filePart(), 'base64')), undefined],
    [
      'with JSON that says no type, as a form sends it',
      multipart(filePart(), { head: { 'Content-Disposition': 'form-data; name="request"' }, body: ` \r\n${json}` }),
      undefined,
    ],
    [
      'in charsets that it declares',
      multipart(
        { head: { 'Content-Type': 'application/json; charset=utf-16' }, body: Buffer.from(`\ufeff${json}`, 'utf16le') },
        filePart(Buffer.from(csv, 'latin1'), { 'Content-Type': 'text/csv; charset="ISO-8859-1"' }),
      ),
      undefined,
    ],
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
      if (name) expect(await ingress.redis.hkeys(`${ingress.journal.base}:i:${name.toLowerCase()}`)).toEqual([key])
    }
  })

  test('a large file goes to the payload store', async () => {
    await using ingress = await openForFiles()
    const rows = Buffer.alloc(16 * 2 ** 20, 'NIC-0001,NEST\n')
    expect((await send(ingress, multipart(jsonPart(), filePart(rows)))).status).toBe(202)
    expect(await ingress.field(key, 'fileBytes')).toBe(String(rows.length))
    expect(await ingress.field(key, 'fileRef')).toMatch(/^s-/)
  })

  test('of one client is taken whatever another one has begun to send', async () => {
    const other = { ...derms, name: 'other', credentials: [{ basic: { username: 'other', password: 'pw-other' } }] }
    await using ingress = await openForFiles({ ingress: { clients: [derms, other] } })
    const slow = Array.from({ length: 40 }, () => open(ingress))
    for (const { request } of slow) request.write(multipart(filePart()).subarray(0, 150))
    // So there is no room left for this client.
    const told = await Promise.race(slow.map(({ answered }) => answered))
    expect(told).toMatchObject({ status: 503 })
    expect((await send(ingress, multipart(jsonPart(), filePart()))).status).toBe(503)
    const headers = { authorization: basic('other', 'pw-other') }
    expect(await send(ingress, multipart(jsonPart(), filePart()), undefined, headers)).toMatchObject({ status: 202 })
    for (const { request } of slow) request.destroy()
  })
})
