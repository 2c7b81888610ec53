import type { Readable } from 'node:stream'
import { type Arriving, openArriving } from './arriving.ts'
import type { BodyHead } from './body-head.ts'
import { type PartHeader, readPartHeader } from './part-header.ts'
import { malformed, tooLarge } from './read-body.ts'

/** One part of a multipart body, as it arrives. */
export interface Part extends PartHeader {
  /** May be read once. */
  readonly content: AsyncIterable<Buffer>
}

interface Options {
  readonly boundary: string
  /** Longest pause between two pieces of the body, as far as the sender is the one who pauses. */
  readonly idleMs: number
  readonly partsMax: number
  /** Of the body up to the end of its last part. */
  readonly bytesMax: number
  /** Gets what is read. */
  readonly head?: BodyHead | undefined
}

const headerLinesMax = 20
const headerBytesMax = 8 * 1024
/** Text before the first part; nobody writes any. */
const preambleBytesMax = 64 * 1024

/**
 * Hands each part of a multipart body to `take`, one after another, lines ending with CRLF or LF alone. Resolves when the last
 * part was taken; what follows it is nobody's.
 * @throws Refusal 400 for a body that breaks the rules of multipart or breaks off, 408 when it stalls, 413 when it is too large,
 * and what `take` throws
 */
export async function readParts(
  incoming: Readable,
  { boundary, partsMax, ...limits }: Options,
  take: (part: Part) => Promise<void>,
): Promise<void> {
  using arriving = openArriving(incoming, limits)
  const body = createCutter(arriving, boundary)
  let preambleBytes = 0
  for await (const { length } of body.untilBoundary()) {
    preambleBytes += length
    if (preambleBytes > preambleBytesMax) throw tooLarge(preambleBytesMax, 'text before the parts')
  }
  for (let parts = 1; !body.isOver(); parts++) {
    if (parts > partsMax) throw malformed(`The body has more than ${partsMax} parts`)
    const header = readPartHeader(await body.headerLines())
    const content = body.untilBoundary()
    await take({ ...header, content })
    // What was not read of it.
    while (!(await content.next()).done);
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Cuts a body at its boundaries. */
function createCutter(arriving: Arriving, boundary: string) {
  const needle = Buffer.from(`\n--${boundary}`)
  // A boundary begins with a line end, the first one too.
  let held: Buffer = Buffer.from('\n')
  let crlf = false
  let over = false

  const hold = async (missing: string): Promise<void> => {
    const piece = await arriving.next()
    if (piece === undefined) throw malformed(missing)
    held = held.length === 0 ? piece : Buffer.concat([held, piece])
  }

  /** Length of the line at `at`, with its end. */
  const lineLength = async (at: number, missing: string): Promise<number> => {
    for (let from = at; ; ) {
      const end = held.indexOf(lineFeed, from)
      if (end !== -1) return end + 1 - at
      if (held.length - at > headerBytesMax) return held.length - at
      from = held.length
      await hold(missing)
    }
  }

  /** Whether a boundary is there indeed: nothing but blanks may follow it, or two dashes after the last part. */
  const passBoundary = async (at: number): Promise<boolean> => {
    const after = at + needle.length
    while (held.length < after + 2) await hold(incomplete)
    if (held.toString('latin1', after, after + 2) === '--') {
      over = true
      return true
    }
    const length = await lineLength(after, incomplete)
    const rest = held.toString('latin1', after, after + length)
    if (!/^[ \t]*\r?\n$/.test(rest)) return false
    crlf = rest.endsWith('\r\n')
    held = held.subarray(after + length)
    return true
  }

  return {
    isOver: () => over,

    /** What stands before the next boundary, which is passed when all has been read. */
    async *untilBoundary(): AsyncGenerator<Buffer, void> {
      let from = 0
      for (;;) {
        const at = held.indexOf(needle, from)
        if (at !== -1) {
          const lineEnd = crlf && held[at - 1] === carriageReturn ? 1 : 0
          const before = held.subarray(0, at - lineEnd)
          if (await passBoundary(at)) {
            if (before.length > 0) yield before
            return
          }
          from = at + 1
          continue
        }
        // The beginning of a boundary, and the carriage return before it, may be all that has come of it.
        const end = held.length - needle.length
        if (end > 0) {
          yield held.subarray(0, end)
          held = held.subarray(end)
        }
        from = 0
        await hold(incomplete)
      }
    },

    /** The lines of a header, without their ends; the empty line after it is passed. */
    async headerLines(): Promise<string[]> {
      const lines: string[] = []
      let bytes = 0
      for (;;) {
        const length = await lineLength(0, 'A part of the body has no end of its header')
        bytes += length
        const line = held.toString('latin1', 0, length).replace(/\r?\n$/, '')
        held = held.subarray(length)
        if (line === '') return lines
        lines.push(line)
        if (lines.length > headerLinesMax || bytes > headerBytesMax)
          throw malformed('The header of a part is too large')
      }
    },
  }
}

const incomplete = 'The body is not a complete multipart body: its last boundary is missing'
