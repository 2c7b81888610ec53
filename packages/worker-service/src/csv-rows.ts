import Papa from 'papaparse'
import { brokenQuote, type CsvColumns, type CsvHeader, cleaned, ctrlZ, findHeader, unreadable } from './csv-header.ts'
import { decodeText } from './decode-text.ts'

/** A row of a file with a header, by the names of its columns. */
export interface CsvRow {
  /** From 1, without the header. */
  readonly number: number
  readonly values: Readonly<Record<string, string>>
}

export interface CsvReading {
  /** Rows whose fields are all empty are rows too. Otherwise they are passed over, as are blank lines always. */
  readonly emptyRowsCount?: boolean
  /** Values of these columns alone, as far as they are known. */
  readonly only?: readonly string[] | undefined
}

/** No row of a device file comes near it. What is longer is a quote that was never closed, and must not fill the memory. */
const rowLengthMax = 256 * 1024

const endOfFile = new RegExp(`${ctrlZ}[\\s${ctrlZ}]*$`)

/**
 * Reads a CSV file piece by piece, in lists of rows as they come: UTF-8, or UTF-16 with a byte order mark; commas, semicolons,
 * tabs or bars; RFC 4180 quotes; lines that end with LF, CRLF or CR. Columns are found by the header, whatever their order and
 * case. Values are without the blanks around them. Blank lines and rows whose fields are all empty are passed over; fields
 * beyond the header may be there if they are empty.
 * Throws TielineError `file-unreadable`, naming the row, for what is no such file: no header or no rows, a missing column, a
 * row with more or fewer fields than the header, a broken quote, bytes that are not in the charset.
 */
export async function* readCsvRows(
  bytes: AsyncIterable<Buffer>,
  columns: CsvColumns,
  { emptyRowsCount = false, only }: CsvReading = {},
): AsyncGenerator<CsvRow[]> {
  let parser: RowParser | undefined
  let pending = ''

  const parse = (isLast: boolean): CsvRow[] => {
    if (isLast) pending = pending.replace(endOfFile, '')
    if (parser === undefined) {
      const found = findHeader(pending, isLast, columns)
      if (found === undefined) return []
      const { columns: all } = found.header
      const wanted = only === undefined ? all : all.filter(({ name }) => only.includes(name))
      parser = createRowParser({ ...found.header, columns: wanted }, emptyRowsCount)
      columns.passedOver?.(found.header.passedOver)
      pending = pending.slice(found.end)
    }
    const { rows, read } = parser.parse(pending, isLast)
    pending = pending.slice(read)
    return rows
  }
  const place = () => (parser === undefined ? 'The header' : `Row ${parser.rowsRead() + 1}`)

  for await (const { text, charset, valid } of decodeText(bytes)) {
    pending += text
    const rows = parse(false)
    if (rows.length > 0) yield rows
    if (!valid) throw unreadable(place(), `is not ${charset}`)
    if (pending.length > rowLengthMax) throw unreadable(place(), 'is too long, or has a quote that is not closed')
  }
  const rows = parse(true)
  if (rows.length > 0) yield rows
  if (parser === undefined) throw unreadable('The file', 'is empty')
  if (parser.rowsRead() === 0) throw unreadable('The file', 'has a header but no rows')
}

interface RowParser {
  /** The rows in a text, and how much of it they are; the rest is the beginning of another. */
  parse(text: string, isLast: boolean): { readonly rows: CsvRow[]; readonly read: number }
  rowsRead(): number
}

function createRowParser(header: CsvHeader, emptyRowsCount: boolean): RowParser {
  const parser = new Papa.Parser({ delimiter: header.delimiter, newline: header.lineEnd, quoteChar: '"' })
  let rowsRead = 0
  let ended = false

  return {
    rowsRead: () => rowsRead,
    parse(text, isLast) {
      const { data, errors, meta } = parser.parse(text, 0, !isLast) as Papa.ParseResult<string[]>
      // A row that has not come to its end yet may look broken.
      const broken = errors.find(({ row }) => isLast || (row ?? 0) < data.length)
      const rows: CsvRow[] = []
      data.forEach((fields, i) => {
        if (i === broken?.row) throw unreadable(`Row ${rowsRead + 1}`, brokenQuote)
        if (fields.every(isEmpty) && !(emptyRowsCount && fields.length > 1 && fields.length === header.width)) return
        if (ended) throw unreadable(`Row ${rowsRead + 1}`, 'comes after the end of the file')
        if (fields.length === 1 && fields[0]?.trim().replace(endOfFile, '') === '') {
          ended = true
          return
        }
        rowsRead += 1
        rows.push({ number: rowsRead, values: readRow(fields, header, rowsRead) })
      })
      return { rows, read: meta.cursor }
    },
  }
}

const isEmpty = (field: string): boolean => field.trim() === ''

function readRow(fields: readonly string[], header: CsvHeader, number: number): Record<string, string> {
  const { width, columns } = header
  if (fields.length !== width && !fits(fields, header))
    throw unreadable(`Row ${number}`, `has ${fields.length} fields, the header ${width}`)
  const values: Record<string, string> = {}
  for (const { name, at } of columns) values[name] = cleaned(fields[at] ?? '')
  return values
}

/** Columns at the end may have no name, and fields beyond the header nothing in them. */
const fits = (fields: readonly string[], { width, widthMin }: CsvHeader): boolean =>
  fields.length >= widthMin && fields.slice(width).every(isEmpty)
