import { never, TielineError } from '@tieline/runtime/error'
import Papa from 'papaparse'
import { decodeUtf8 } from './decode-utf8.ts'

/** A row of a file with a header, by the names of its columns. */
export interface CsvRow {
  /** From 1, without the header. */
  readonly number: number
  readonly values: Readonly<Record<string, string>>
}

export interface CsvColumns {
  /** The columns that are read, as they are to be called; others are passed over. */
  readonly known: readonly string[]
  /** Without these a file cannot be read. */
  readonly required: readonly string[]
  /** Other names of columns: incoming name to known name. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
}

/** No row of a device file comes near it. What is longer is a quote that was never closed, and must not fill the memory. */
const rowLengthMax = 256 * 1024

/**
 * Reads a CSV file piece by piece, in lists of rows as they come: UTF-8 with or without a byte order mark, commas, RFC 4180
 * quotes, LF or CRLF (a carriage return at the end of the last field of a row belongs to the line end, even in quotes). Columns
 * are found by the header, whatever their order and case; blank lines are passed over.
 * Throws TielineError `file-unreadable`, naming the row, for what is no such file: no header or no rows, a missing column, a
 * row with more or fewer fields than the header, a broken quote, bytes that are not UTF-8.
 */
export async function* readCsvRows(bytes: AsyncIterable<Buffer>, columns: CsvColumns): AsyncGenerator<CsvRow[]> {
  const parser = new Papa.Parser({ delimiter: ',', newline: '\n', quoteChar: '"' })
  let header: Header | undefined
  let rowsRead = 0
  let pending = ''

  const parse = (isLast: boolean): CsvRow[] => {
    const { data, errors, meta } = parser.parse(pending, 0, !isLast) as Papa.ParseResult<string[]>
    pending = pending.slice(meta.cursor)
    // A row that has not come to its end yet may look broken.
    const broken = errors.find(({ row }) => isLast || (row ?? 0) < data.length)
    const rows: CsvRow[] = []
    data.forEach((fields, i) => {
      const line = withoutCarriageReturn(fields)
      if (i === broken?.row)
        throw unreadable(place(header, rowsRead + 1), 'has a quote that is not closed or not alone')
      if (line.length === 1 && line[0] === '') return
      if (header === undefined) {
        header = readHeader(line, columns)
        return
      }
      rowsRead += 1
      rows.push({ number: rowsRead, values: readRow(line, header, rowsRead) })
    })
    return rows
  }

  for await (const { text, valid } of decodeUtf8(bytes)) {
    pending += text
    const rows = parse(false)
    if (rows.length > 0) yield rows
    if (!valid) throw unreadable(place(header, rowsRead + 1), 'is not UTF-8')
    if (pending.length > rowLengthMax)
      throw unreadable(place(header, rowsRead + 1), 'is too long, or has a quote that is not closed')
  }
  const rows = parse(true)
  if (rows.length > 0) yield rows
  if (header === undefined) throw unreadable('The file', 'is empty')
  if (rowsRead === 0) throw unreadable('The file', 'has a header but no rows')
}

interface Header {
  readonly width: number
  readonly columns: readonly { readonly name: string; readonly at: number }[]
}

function readHeader(fields: readonly string[], { known, required, aliases = {} }: CsvColumns): Header {
  const plain = (name: string) => name.trim().toLowerCase()
  const names = new Map([
    ...Object.entries(aliases).map(([alias, name]) => [plain(alias), name] as const),
    ...known.map((name) => [plain(name), name] as const),
  ])
  const columns = fields.flatMap((field, at) => {
    const name = names.get(plain(field))
    return name === undefined || !known.includes(name) ? [] : [{ name, at }]
  })
  const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) < i)
  if (twice) throw unreadable('The header', `has the column ${twice.name} twice`)
  const missing = required.filter((name) => !columns.some((column) => column.name === name))
  if (missing.length > 0) throw unreadable('The header', `lacks ${missing.join(', ')}`)
  return { width: fields.length, columns }
}

function readRow(fields: readonly string[], { width, columns }: Header, number: number): Record<string, string> {
  if (fields.length !== width) throw unreadable(`Row ${number}`, `has ${fields.length} fields, the header ${width}`)
  const values: Record<string, string> = {}
  for (const { name, at } of columns) values[name] = fields[at] ?? ''
  return values
}

/** Lines may end with CRLF; after a quoted field the parser has taken the CR already. */
function withoutCarriageReturn(fields: string[]): string[] {
  const last = fields.at(-1)
  return last?.endsWith('\r') ? fields.with(-1, last.slice(0, -1)) : fields
}

const place = (header: Header | undefined, row: number) => (header === undefined ? 'The header' : `Row ${row}`)

const unreadable = (what: string, why: string) => new TielineError('file-unreadable', never, `${what} ${why}`)
