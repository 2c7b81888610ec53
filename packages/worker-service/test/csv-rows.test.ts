import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvRow, readCsvRows } from '../src/csv-rows.ts'

const columns = { known: ['nicId', 'headEnd', 'note'], required: ['nicId', 'headEnd'] }

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const read = async (content: string | Buffer, pieceBytes = 7, more: object = {}): Promise<CsvRow[]> =>
  (await Array.fromAsync(readCsvRows(inPieces(Buffer.from(content), pieceBytes), { ...columns, ...more }))).flat()

const valuesOf = async (content: string | Buffer, pieceBytes?: number) =>
  (await read(content, pieceBytes)).map(({ values }) => values)

const plain = [
  { nicId: 'N1', headEnd: 'NEST' },
  { nicId: 'N2', headEnd: 'Ecobee' },
]

describe('a file', () => {
  test.each([
    ['with LF', 'nicId,headEnd\nN1,NEST\nN2,Ecobee\n'],
    ['with CRLF', 'nicId,headEnd\r\nN1,NEST\r\nN2,Ecobee\r\n'],
    ['with both', 'nicId,headEnd\r\nN1,NEST\nN2,Ecobee'],
    ['with a byte order mark', '\ufeffnicId,headEnd\nN1,NEST\nN2,Ecobee\n'],
    ['with another order and case of its columns', 'HEADEND, NicID \nNEST,N1\nEcobee,N2\n'],
    ['with columns that nobody knows', 'recordId,nicId,x,headEnd\n1,N1,,NEST\n2,N2,y,Ecobee\n'],
    ['with quotes', '"nicId","headEnd"\r\n"N1","NEST"\r\n"N2","Ecobee"\r\n'],
    ['with blank lines', '\nnicId,headEnd\n\nN1,NEST\n\r\nN2,Ecobee\n\n\n'],
    ['with an alias of a column', 'Device,headEnd\nN1,NEST\nN2,Ecobee\n'],
  ])('%s is read the same, whatever pieces it comes in', async (_, content) => {
    for (const pieceBytes of [1, 2, 3, 5, 1_000]) {
      const rows = await read(content, pieceBytes, { aliases: { device: 'nicId' } })
      expect(rows).toEqual(plain.map((values, i) => ({ number: i + 1, values })))
    }
  })

  test('keeps quotes, commas, line ends, blanks and letters of all kinds inside fields', async () => {
    const note = 'a "b", c\r\nd\n\u{1F321} é ﷽ \t'
    const content = `nicId,headEnd,note\n N1 ,NEST,"${note.replaceAll('"', '""')}"\nN2,a"b,\n`
    for (const pieceBytes of [1, 2, 3, 1_000])
      expect(await valuesOf(content, pieceBytes)).toEqual([
        { nicId: ' N1 ', headEnd: 'NEST', note },
        { nicId: 'N2', headEnd: 'a"b', note: '' },
      ])
  })
})

describe('what is no such file is refused, naming the row', () => {
  const two = 'nicId,headEnd\nN1,NEST\n'
  test.each([
    ['', 'The file is empty'],
    ['\ufeff\r\n\n', 'The file is empty'],
    ['nicId,headEnd', 'The file has a header but no rows'],
    ['nicId,headEnd\r\n\r\n', 'The file has a header but no rows'],
    ['nicId\nN1\n', 'The header lacks headEnd'],
    ['N1,NEST\nN2,NEST\n', 'The header lacks nicId, headEnd'],
    ['nicId;headEnd\nN1;NEST\n', 'The header lacks nicId, headEnd'],
    ['nicId,headEnd,NICID\nN1,NEST,N2\n', 'The header has the column nicId twice'],
    [`${two}N2\n`, 'Row 2 has 1 fields, the header 2'],
    [`${two}N2,NEST,\n`, 'Row 2 has 3 fields, the header 2'],
    [`${two}\nN2,NEST\n,\n,,\n`, 'Row 4 has 3 fields, the header 2'],
    [`${two}"N2,NEST\nN3,NEST\n`, 'Row 2 has a quote that is not closed or not alone'],
    [`${two}"N2"x,NEST\nN3,NEST\n`, 'Row 2 has a quote that is not closed or not alone'],
    [`"nicId,headEnd\nN1,NEST\n`, 'The header has a quote that is not closed or not alone'],
  ])('%j', async (content, message) => {
    for (const pieceBytes of [1, 3, 1_000])
      await expect(read(content, pieceBytes)).rejects.toMatchObject({ code: 'file-unreadable', message })
  })

  test.each([
    [Buffer.from([0xff, 0xfe, 0x6e, 0x00]), 'The header is not UTF-8'],
    [Buffer.concat([Buffer.from(two), Buffer.from('N2,é'), Buffer.from([0xe9, 0x0a])]), 'Row 2 is not UTF-8'],
    [Buffer.concat([Buffer.from(`${two}N2,NEST\nN3,`), Buffer.from([0xe2, 0x82])]), 'Row 3 is not UTF-8'],
    [Buffer.from('nicId,headEnd\nN1,M\xfcller\n', 'latin1'), 'Row 1 is not UTF-8'],
  ])('bytes that are not UTF-8: %o', async (content, message) => {
    for (const pieceBytes of [1, 2, 3, 1_000])
      await expect(read(content, pieceBytes)).rejects.toMatchObject({ code: 'file-unreadable', message })
  })

  test('a quote that is never closed does not fill the memory with the rest of the file', async () => {
    let bytesRead = 0
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('nicId,headEnd\nN1,"NEST\n')
      for (; bytesRead < 1e9; bytesRead += 65_536) yield Buffer.alloc(65_536, 'x')
    }
    const reading = Array.fromAsync(readCsvRows(endless(), columns))
    await expect(reading).rejects.toMatchObject({ message: 'Row 1 is too long, or has a quote that is not closed' })
    expect(bytesRead).toBeLessThan(1e6)
  })
})

describe('whatever is in a file', () => {
  /** RFC 4180, written field by field; fields that need no quotes may have them or not. */
  const field = fc.tuple(fc.string({ unit: 'binary', maxLength: 12 }), fc.boolean()).map(([value, quoted]) => {
    const needsQuotes = /[",\n\r]/.test(value)
    return { value, text: needsQuotes || quoted ? `"${value.replaceAll('"', '""')}"` : value }
  })
  // A carriage return at the very end of a line belongs to the line end, even in quotes.
  const row = fc.tuple(field, field, field).filter(([, , { value }]) => !value.endsWith('\r'))

  test('every row comes out as it went in, none is made up and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (rows, lineEnd, endsWithLine, pieceBytes) => {
          const lines = rows.map((fields) => fields.map(({ text }) => text).join(','))
          const content = ['nicId,headEnd,note', ...lines].join(lineEnd) + (endsWithLine ? lineEnd : '')
          const expected = rows.map(([nicId, headEnd, note]) => ({
            nicId: nicId.value,
            headEnd: headEnd.value,
            note: note.value,
          }))
          expect(await valuesOf(content, pieceBytes)).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('bytes of any kind are read or refused, with the same result in whatever pieces they come', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ', '\u{1F321}'), maxLength: 60 })
        .map((text) => Buffer.from(text)),
    )
    const outcomeOf = (content: Buffer, pieceBytes: number) =>
      read(content, pieceBytes).catch((error: { code?: string; message: string }) => `${error.code} ${error.message}`)
    await fc.assert(
      fc.asyncProperty(noise, fc.integer({ min: 1, max: 9 }), async (bytes, pieceBytes) => {
        const content = Buffer.concat([Buffer.from('nicId,headEnd\nN1,NEST\n'), bytes])
        const whole = await outcomeOf(content, content.length)
        expect(await outcomeOf(content, pieceBytes)).toEqual(whole)
        if (typeof whole === 'string') expect(whole).toMatch(/^file-unreadable Row \d+ /)
        else expect(whole[0]).toEqual({ number: 1, values: { nicId: 'N1', headEnd: 'NEST' } })
      }),
      { numRuns: 1_000 },
    )
  })
})
