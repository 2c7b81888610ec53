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
    ['with semicolons', 'nicId;headEnd\nN1;NEST\nN2;Ecobee\n'],
    ['with tabs', 'nicId\theadEnd\r\nN1\tNEST\r\nN2\tEcobee'],
    ['with bars, and commas in a column that nobody knows', 'nicId|headEnd|a,b\nN1|NEST|,\nN2|Ecobee|x,y\n'],
    ['with lines that end with CR', 'nicId,headEnd\rN1,NEST\r"N2","Ecobee"\r'],
    ['with a line that names its delimiter', 'sep=;\r\nnicId;headEnd\r\nN1;NEST\r\nN2;Ecobee\r\n'],
    ['with such a line in quotes', '\ufeff"SEP=,"\nnicId,headEnd\nN1,NEST\nN2,Ecobee\n'],
    ['with a delimiter of its own', 'sep=^\nnicId^headEnd\nN1^NEST\nN2^Ecobee\n'],
    ['with such a line that is wrong', 'sep=,\nnicId;headEnd\nN1;NEST\nN2;Ecobee\n'],
    ['with rows that are longer by empty fields', 'nicId,headEnd\nN1,NEST,\nN2,Ecobee, ,""\r\n'],
    ['with columns at the end that have no name', 'nicId,headEnd,,\nN1,NEST,x\nN2,Ecobee\n'],
    ['with rows of nothing but delimiters', ',,\n;;\nnicId,headEnd\n,\nN1,NEST\n , \n"",""\nN2,Ecobee\n,,,\n'],
    ['with blanks around everything', ' nicId , headEnd \n N1\t, NEST\n\u00a0N2 ,"Ecobee "  \n'],
    ['with blanks before quotes', '"nicId", "headEnd"\n"N1", "NEST" \nN2,\t"Ecobee"\n'],
    ['with Ctrl-Z behind its last row', 'nicId,headEnd\nN1,NEST\nN2,Ecobee\u001a'],
    ['with Ctrl-Z in a line of its own', 'nicId,headEnd\nN1,NEST\nN2,Ecobee\r\n\u001a\r\n\n'],
    ['with blank lines', '\nnicId,headEnd\n\nN1,NEST\n\r\nN2,Ecobee\n\n\n'],
    ['with an alias of a column', 'Device,headEnd\nN1,NEST\nN2,Ecobee\n'],
  ])('%s is read the same, whatever pieces it comes in', async (_, content) => {
    const utf16 = Buffer.from(`\ufeff${content.replace('\ufeff', '')}`, 'utf16le')
    for (const bytes of [content, utf16, Buffer.from(utf16).swap16()])
      for (const pieceBytes of [1, 2, 3, 5, 1_000]) {
        const rows = await read(bytes, pieceBytes, { aliases: { device: 'nicId' } })
        expect(rows).toEqual(plain.map((values, i) => ({ number: i + 1, values })))
      }
  })

  test('was once read with rows of nothing but delimiters as rows, and can be read so', async () => {
    const bytes = inPieces(Buffer.from('nicId,headEnd\n,\n\nN1,NEST\n ,\n,,\n'), 5)
    const rows = (await Array.fromAsync(readCsvRows(bytes, columns, { emptyRowsCount: true }))).flat()
    const empty = { nicId: '', headEnd: '' }
    expect(rows.map(({ values }) => values)).toEqual([empty, { nicId: 'N1', headEnd: 'NEST' }, empty])
  })

  test('keeps quotes, commas, line ends, blanks and letters of all kinds inside fields', async () => {
    const note = 'a "b", c\r\nd\n\u{1F321}  é \t ﷽'
    const content = `nicId,headEnd,note\n N1 ,NEST,"${note.replaceAll('"', '""')}"\nN2,a"b,\n`
    for (const pieceBytes of [1, 2, 3, 1_000])
      expect(await valuesOf(content, pieceBytes)).toEqual([
        { nicId: 'N1', headEnd: 'NEST', note },
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
    ['nicId:headEnd\nN1:NEST\n', 'The header lacks nicId, headEnd'],
    ['nicId;head\nN1;NEST\n', 'The header lacks headEnd'],
    ['sep=;\n', 'The file is empty'],
    ['\u001a', 'The file is empty'],
    [`${two}\u001a\nN2,NEST\n`, 'Row 2 comes after the end of the file'],
    [`${two.replace('\n', '\r')}N2,NEST`, 'Row 1 has 3 fields, the header 2'],
    [`${two}N2;NEST\n`, 'Row 2 has 1 fields, the header 2'],
    ['nicId,headEnd,NICID\nN1,NEST,N2\n', 'The header has the column nicId twice'],
    [`${two}N2\n`, 'Row 2 has 1 fields, the header 2'],
    [`${two}N2,NEST,x\n`, 'Row 2 has 3 fields, the header 2'],
    [`${two}\nN2,NEST\n,\n,,x\n`, 'Row 3 has 3 fields, the header 2'],
    [`${two}"N2,NEST\nN3,NEST\n`, 'Row 2 has a quote that is not closed or not alone'],
    [`${two}"N2"x,NEST\nN3,NEST\n`, 'Row 2 has a quote that is not closed or not alone'],
    [`"nicId,headEnd\nN1,NEST\n`, 'The header has a quote that is not closed or not alone'],
  ])('%j', async (content, message) => {
    for (const pieceBytes of [1, 3, 1_000])
      await expect(read(content, pieceBytes)).rejects.toMatchObject({ code: 'file-unreadable', message })
  })

  test.each([
    [Buffer.from([0xff]), 'The header is not UTF-8'],
    [Buffer.from([0xff, 0xfe, 0x6e]), 'The header is not UTF-16LE'],
    [Buffer.from(`\ufeff${two}N2,\ud83d,`, 'utf16le'), 'Row 2 is not UTF-16LE'],
    [Buffer.from(`\ufeff${two}N2,é\udf21`, 'utf16le').swap16(), 'Row 2 is not UTF-16BE'],
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
    const needsQuotes = /[",;\t|\n\r]/.test(value)
    return { value, text: needsQuotes || quoted ? `"${value.replaceAll('"', '""')}"` : value }
  })
  const row = fc.tuple(field, field, field)

  test('every row comes out as it went in without the blanks around its values, none is made up and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom<BufferEncoding>('utf8', 'utf16le'),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (rows, lineEnd, delimiter, encoding, endsWithLine, pieceBytes) => {
          const lines = rows.map((fields) => fields.map(({ text }) => text).join(delimiter))
          const header = ['nicId', 'headEnd', 'note'].join(delimiter)
          const content = [`\ufeff${header}`, ...lines, 'last'.concat(delimiter, 'x', delimiter)].join(lineEnd)
          const bytes = Buffer.from(content + (endsWithLine ? lineEnd : ''), encoding)
          const values = [...rows.map((fields) => fields.map(({ value }) => value.trim())), ['last', 'x', '']]
          const expected = values
            .filter((fields) => fields.some((field) => field !== ''))
            .map(([nicId, headEnd, note]) => ({ nicId, headEnd, note }))
          expect(await valuesOf(bytes, pieceBytes)).toEqual(expected)
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
