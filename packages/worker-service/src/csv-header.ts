import { never, TielineError } from '@tieline/runtime/error'
import Papa from 'papaparse'

export interface CsvColumns {
  /** The columns that are read, as they are to be called; others are passed over. */
  readonly known: readonly string[]
  /** Without these a file cannot be read. */
  readonly required: readonly string[]
  /** Other names of columns: incoming name to known name. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** Hears the names of columns that are not read, as they stand in the header. */
  readonly passedOver?: ((names: readonly string[]) => void) | undefined
}

/** How a file is written, and where its columns are. */
export interface CsvHeader {
  readonly delimiter: string
  /** `\n` is also for lines that end with CRLF. */
  readonly lineEnd: '\n' | '\r'
  /** So many fields a row has, and so many it needs at least: columns at the end may have no name. */
  readonly width: number
  readonly widthMin: number
  readonly columns: readonly { readonly name: string; readonly at: number }[]
  /** Names of the others. */
  readonly passedOver: readonly string[]
}

/** In this order, should two of them do. */
const delimiters = [',', ';', '\t', '|']

export interface HeaderFound {
  readonly header: CsvHeader
  /** Where the rows begin. */
  readonly end: number
}

/**
 * Finds the header at the beginning of a file, behind lines that say nothing and one that names the delimiter (`sep=;`). The
 * delimiter is the one that makes the required columns appear.
 * @param isWhole nothing comes after `text`
 * @returns undefined when more of the file is needed, or when all of it is without a header
 * @throws TielineError `file-unreadable`
 */
export function findHeader(text: string, isWhole: boolean, columns: CsvColumns): HeaderFound | undefined {
  let named: string | undefined
  for (let at = 0; at < text.length; ) {
    const { line, end, lineEnd } = lineAt(text, at, isWhole) ?? {}
    if (line === undefined || end === undefined || lineEnd === undefined) return undefined
    const separator = /^\s*"?sep=(.)"?[\s,;|]*$/i.exec(line)?.[1]
    if (separator !== undefined) named = separator
    else if (!saysNothing(line)) return { header: readHeader(line, lineEnd, named, columns), end }
    at = end
  }
  return undefined
}

interface Line {
  readonly line: string
  /** Where the next one begins. */
  readonly end: number
  readonly lineEnd: CsvHeader['lineEnd']
}

/** The line at `at`; a line end in quotes belongs to it. */
function lineAt(text: string, at: number, isWhole: boolean): Line | undefined {
  let quoted = false
  for (let i = at; i < text.length; i++) {
    const char = text[i]
    if (char === '"') quoted = !quoted
    if (quoted) continue
    if (char === '\n') return { line: text.slice(at, i), end: i + 1, lineEnd: '\n' }
    if (char !== '\r') continue
    // Whether a line feed follows is not known yet.
    if (i + 1 === text.length && !isWhole) return undefined
    if (text[i + 1] === '\n') return { line: text.slice(at, i), end: i + 2, lineEnd: '\n' }
    return { line: text.slice(at, i), end: i + 1, lineEnd: '\r' }
  }
  return isWhole ? { line: text.slice(at), end: text.length, lineEnd: '\n' } : undefined
}

/** With which old programs end a file. */
export const ctrlZ = '\u001a'

/** Blanks, delimiters, empty quotes. */
const saysNothing = (line: string): boolean => /^[\s,;|"]*$/.test(line.replaceAll(ctrlZ, ''))

function readHeader(
  line: string,
  lineEnd: CsvHeader['lineEnd'],
  named: string | undefined,
  { known, required, aliases = {} }: CsvColumns,
): CsvHeader {
  const names = new Map([
    ...Object.entries(aliases).map(([alias, name]) => [plain(alias), name] as const),
    ...known.map((name) => [plain(name), name] as const),
  ])
  const readings = [...(named === undefined ? [] : [named]), ...delimiters].map((delimiter) => {
    const { data, errors } = new Papa.Parser({ delimiter, newline: lineEnd, quoteChar: '"' }).parse(line, 0, false)
    const fields = (data as string[][]).at(0) ?? []
    const columns = fields.flatMap((field, at) => {
      const name = names.get(plain(field))
      return name === undefined || !known.includes(name) ? [] : [{ name, at }]
    })
    const missing = required.filter((name) => !columns.some((column) => column.name === name))
    return { delimiter, fields, columns, missing, isBroken: errors.length > 0 }
  })
  // The first of the best: with none of them all columns may be there.
  const [best] = readings.toSorted((a, b) => a.missing.length - b.missing.length)
  if (best === undefined || best.isBroken) throw unreadable('The header', brokenQuote)
  const { delimiter, fields, columns, missing } = best
  const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) < i)
  if (twice) throw unreadable('The header', `has the column ${twice.name} twice`)
  if (missing.length > 0) throw unreadable('The header', `lacks ${missing.join(', ')}`)
  const widthMin = fields.findLastIndex((field) => field.trim() !== '') + 1
  const passedOver = fields.filter((field, at) => field.trim() !== '' && !columns.some((column) => column.at === at))
  return { delimiter, lineEnd, width: fields.length, widthMin, columns, passedOver }
}

const plain = (name: string) => cleaned(name).toLowerCase()

/** A field without the blanks around it, and without quotes that stand behind such blanks, where the parser does not see them. */
export function cleaned(field: string): string {
  const value = field.trim()
  if (value.length === field.length || field.startsWith('"')) return value
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return isQuoted ? value.slice(1, -1).replaceAll('""', '"').trim() : value
}

export const brokenQuote = 'has a quote that is not closed or not alone'

export const unreadable = (what: string, why: string) => new TielineError('file-unreadable', never, `${what} ${why}`)
