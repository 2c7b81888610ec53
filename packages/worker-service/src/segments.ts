import type { CsvRow } from './csv-rows.ts'

/** Rows of a file that go to DACS in one call. */
export interface Segment {
  /** Number of the first row. */
  readonly first: number
  readonly rows: readonly CsvRow[]
}

/** Cuts a file into segments of the same number of rows; the last one may have fewer. */
export async function* inSegments(
  lists: AsyncIterable<readonly CsvRow[]>,
  segmentRows: number,
): AsyncGenerator<Segment> {
  let rows: CsvRow[] = []
  for await (const list of lists) {
    for (const row of list) {
      rows.push(row)
      if (rows.length < segmentRows) continue
      yield segmentOf(rows)
      rows = []
    }
  }
  if (rows.length > 0) yield segmentOf(rows)
}

const segmentOf = (rows: readonly CsvRow[]): Segment => ({ first: rows[0]?.number ?? 1, rows })

/**
 * The id of the effect that carries rows to DACS. A call confirmed without rows that had to be left out is followed by another
 * with those of them that can go now; `part` counts these calls from 1.
 */
export const segmentEffect = (first: number, last: number, part: number): string =>
  part === 1 ? `rows.${first}-${last}` : `rows.${first}-${last}.${part}`

/** Some rows of a segment by their places, as text: a bit for each. Undefined for none. */
export function packRows(places: readonly number[]): string | undefined {
  if (places.length === 0) return undefined
  const bits = Buffer.alloc(Math.floor(Math.max(...places) / 8) + 1)
  for (const place of places) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7))
  return bits.toString('base64url')
}

export function unpackRows(packed: string | undefined): number[] {
  const bits = Buffer.from(packed ?? '', 'base64url')
  return Array.from({ length: bits.length * 8 }, (_, place) => place).filter(
    (place) => ((bits[place >> 3] ?? 0) >> (place & 7)) & 1,
  )
}

export const isSegmentEffect = (id: string): boolean => /^rows\.\d+-\d+(\.\d+)?$/.test(id)
