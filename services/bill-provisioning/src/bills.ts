import { billNameOf } from '@tieline/runtime/bill-name-pattern'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { BillsSection } from '@tieline/targets/bill-files'
import { checkFilePath, type SourceFile } from '@tieline/targets/file-source'
import { BillFailure } from './bill-failure.ts'
import type { BillSource } from './bill-source.ts'
import { pdfSignature, piecesOfPdf } from './pdf-pieces.ts'
import { createTurns } from './turns.ts'

/** A bill that has begun like a PDF. Disposal gives back what it is read from. */
export interface Bill extends Disposable {
  readonly bytes: number
  /** All of it, the first piece at once; fails rather than hand out the last byte of what is not whole. */
  readonly pieces: AsyncGenerator<Buffer, void>
}

export interface Bills {
  /**
   * Undefined when there is no bill of that id. Resolves when its first piece is there. After the signal has aborted it ends only
   * when the source has: what hangs there keeps its turn, so that no more and more of it gathers.
   * @throws CallError, BillFailure `bill-not-pdf`, `bill-too-large`; the reason of the signal
   */
  open(id: string, signal: AbortSignal): Promise<Bill | undefined>
}

export interface BillsOptions extends Pick<BillsSection, 'namePattern' | 'maxBytes'> {
  /**
   * Default: 16. An SFTP server answers in order: what was asked ahead for some bills, 2 MiB for each, stands before the first
   * answer to another. And what arrives for all of them at once is how long everybody else waits.
   */
  readonly readsAtOnce?: number | undefined
}

/** A look is a matter of a few round trips. */
const looksAtOnce = 32
const looksPerRead = 32

/** What goes out of a bill ahead of the rest: less than was seen, so that it is never all. */
const head = pdfSignature.subarray(0, -1)

/**
 * The bills of a source, by their ids. Only so many are read at a time; those who wait meanwhile get the first bytes of theirs
 * ahead, because a caller waits much longer for the rest of a bill than for its beginning.
 * @throws ConfigurationError when the pattern makes no paths of files
 */
export function createBills(source: BillSource, { namePattern, maxBytes, readsAtOnce = 16 }: BillsOptions): Bills {
  requirePaths(namePattern)
  const turns = createTurns({ looksAtOnce, readsAtOnce, looksPerRead })

  /** Finds a bill and makes sure that it can be answered with, up to the reading. */
  const look = async (id: string, signal: AbortSignal) => {
    using _turn = await turns.look(signal)
    const name = billNameOf(namePattern, id)
    const file = name === undefined ? undefined : await source.find(name)
    signal.throwIfAborted()
    if (file === undefined) return undefined
    requireSize(file, maxBytes)
    const turn = turns.readNow()
    if (turn !== undefined) return { bytes: file.bytes, pieces: read(file, signal, turn) }
    await requirePdf(file, signal)
    return { bytes: file.bytes, pieces: readLater(file, signal) }
  }
  const requirePdf = async (file: SourceFile, signal: AbortSignal) => {
    const pieces = piecesOfPdf(await source.openBeginning(file, pdfSignature.length, signal), file.bytes)
    await pieces.next()
    await pieces.return()
  }
  async function* read(file: SourceFile, signal: AbortSignal, turn: Disposable): AsyncGenerator<Buffer, void> {
    using _turn = turn
    yield* piecesOfPdf(await source.open(file, signal), file.bytes)
  }
  async function* readLater(file: SourceFile, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    yield head
    let sent = head.length
    for await (const piece of read(file, signal, await turns.read(signal))) {
      yield piece.subarray(sent)
      sent = 0
    }
  }

  return {
    async open(id, signal) {
      const found = await look(id, signal)
      if (found === undefined) return undefined
      const { bytes, pieces } = found
      const first = await pieces.next()
      const release = () => void pieces.return().catch(() => undefined)
      if (!signal.aborted) return { bytes, pieces: resume(first, pieces), [Symbol.dispose]: release }
      release()
      throw signal.reason
    },
  }
}

async function* resume(
  first: IteratorResult<Buffer, void>,
  rest: AsyncGenerator<Buffer, void>,
): AsyncGenerator<Buffer, void> {
  if (first.done) return
  yield first.value
  yield* rest
}

/** Whoever looks for the bill in question finds it by its size. */
function requireSize({ bytes }: SourceFile, maxBytes: number): void {
  if (bytes <= maxBytes) return
  throw new BillFailure('bill-too-large', `A bill has ${bytes} bytes; bills.maxBytes is ${maxBytes}`)
}

/** @throws ConfigurationError when no id of any length makes a path of this pattern that may be followed */
function requirePaths(pattern: string): void {
  const why = checkFilePath(billNameOf(pattern, longId) ?? '')
  if (why === undefined) return
  throw new ConfigurationError('The bills cannot be found', [
    { path: 'bills.namePattern', rule: `makes a path that ${why}` },
  ])
}

const longId = '1'.repeat(64)
