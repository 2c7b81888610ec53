import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readParts } from '../src/multipart.ts'
import { openPart } from '../src/part-content.ts'

const limits = { boundary: 'b', idleMs: 1_000, partsMax: 20, bytesMax: 1e6 }

const inPieces = (bytes: Buffer, pieceBytes: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
      bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
    ),
    { objectMode: false },
  )

interface ReadPart {
  readonly isJson: boolean
  readonly content: Buffer
}

async function read(body: string | Buffer, pieceBytes = 7): Promise<ReadPart[]> {
  const parts: ReadPart[] = []
  await readParts(inPieces(Buffer.from(body), pieceBytes), limits, async (part) => {
    const { isJson, bytes } = await openPart(part)
    parts.push({ isJson, content: Buffer.concat(await Array.fromAsync(bytes)) })
  })
  return parts
}

const one = async (head: string, content: string | Buffer, pieceBytes?: number): Promise<ReadPart | undefined> => {
  const body = Buffer.concat([Buffer.from(`--b\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n--b--')])
  return (await read(body, pieceBytes))[0]
}

/** Bytes that look like what stands between parts. */
const content = fc
  .array(fc.constantFrom('\r', '\n', '-', '--', '--b', 'a', '=', 'é', ' ', '\0'), { maxLength: 30 })
  .map((texts) => Buffer.from(texts.join('')))

const quotedPrintable = (bytes: Buffer, lineEnd: string) =>
  [...bytes].map((byte) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}=${lineEnd}`).join('')
const base64 = (bytes: Buffer, lineEnd: string) =>
  bytes.toString('base64').replaceAll(/.{8}/g, `$&${lineEnd}`).concat(lineEnd)

describe('the parts of a body', () => {
  test('come out as they went in, whatever they hold, whatever ends the lines, in whatever pieces they come', async () => {
    const encodings = { binary: (bytes: Buffer) => bytes, base64, 'quoted-printable': quotedPrintable } as const
    const encoding = fc.constantFrom(...(Object.keys(encodings) as (keyof typeof encodings)[]))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(content, encoding), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\r\n', '\n'),
        fc.integer({ min: 1, max: 40 }),
        async (parts, lineEnd, pieceBytes) => {
          // A line that is a boundary is one: its sender chooses another.
          const mine = parts.filter(([bytes]) => !/(?:^|\n)--b(?:--|[ \t]*\r?\n|[ \t\r]*$)/.test(String(bytes)))
          const body = mine.flatMap(([bytes, name]) => [
            Buffer.from(`--b${lineEnd}Content-Type: text/csv${lineEnd}Content-Transfer-Encoding: ${name}`),
            Buffer.from(lineEnd + lineEnd),
            Buffer.from(encodings[name](bytes, lineEnd)),
            Buffer.from(lineEnd),
          ])
          const whole = Buffer.concat([
            Buffer.from(`before${lineEnd}`),
            ...body,
            Buffer.from('--b--'),
            Buffer.from('x'),
          ])
          expect((await read(whole, pieceBytes)).map((part) => part.content)).toEqual(mine.map(([bytes]) => bytes))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['', '{"a":1}', true],
    ['', ' \r\n\t{"a":1}', true],
    ['Content-Disposition: form-data; name="file"; filename="a.csv"', '{"a":1}', false],
    ['Content-Disposition: form-data; name="request"', '\ufeff{"a":1}', true],
    ['Content-Type: text/plain', '{"a":1}', true],
    ['Content-Type: text/csv', '{"a":1}', false],
    ['', 'nicId,headEndSystemId', false],
    ['', '', false],
    ['Content-Type: application/vnd.x+json', 'nicId', true],
  ])('%s %j is JSON: %s', async (head, text, isJson) => {
    expect(await one(head || 'X: y', text)).toMatchObject({ isJson })
  })

  test('may leave out the padding of base64', async () => {
    expect(String((await one('Content-Transfer-Encoding: BASE64', 'TjE'))?.content)).toBe('N1')
  })

  test.each([
    ['iso-8859-1', Buffer.from('Müller', 'latin1')],
    ['windows-1252', Buffer.from('Müller', 'latin1')],
    ['UTF-16LE', Buffer.from('Müller', 'utf16le')],
    ['utf-16', Buffer.from('Müller', 'utf16le')],
    ['utf-16', Buffer.from('Müller', 'utf16le').swap16()],
    ['utf-16be', Buffer.from('Müller', 'utf16le').swap16()],
  ])('are put into UTF-8 from %s', async (charset, bytes) => {
    for (const pieceBytes of [1, 3, 100])
      expect(String((await one(`Content-Type: text/csv; charset=${charset}`, bytes, pieceBytes))?.content)).toBe(
        'Müller',
      )
  })

  test('stay as they are when they say by a byte order mark what they are in, but JSON', async () => {
    const marked = Buffer.from('\ufeff{}', 'utf16le')
    expect((await one('Content-Type: text/csv; charset=iso-8859-1', marked))?.content).toEqual(marked)
    expect(String((await one('Content-Type: application/json', marked))?.content)).toBe('{}')
  })
})

describe('what is not written as it says is refused', () => {
  test.each([
    ['base64', 'a'],
    ['base64', 'ab=c'],
    ['base64', 'ab==YWJj'],
    ['base64', 'YWJj-_'],
    ['quoted-printable', 'a=GG'],
    ['quoted-printable', 'a=4'],
    ['quoted-printable', 'a= b'],
    ['quoted-printable', `a=${' '.repeat(2_000)}`],
  ])('%s: %j', async (encoding, text) => {
    const message = `The content of a part is not ${encoding}, as it says`
    await expect(one(`Content-Transfer-Encoding: ${encoding}`, text)).rejects.toMatchObject({ status: 400, message })
  })

  test('and an encoding or a charset that nobody knows', async () => {
    await expect(one('Content-Transfer-Encoding: x-y', 'a')).rejects.toMatchObject({ status: 415 })
    await expect(one('Content-Type: text/csv; charset=x-y', 'a')).rejects.toMatchObject({ status: 415 })
  })
})
