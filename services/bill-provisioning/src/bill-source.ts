import type { Readable } from 'node:stream'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import { type BillsSection, openBillFiles } from '@tieline/targets/bill-files'
import type { SourceFile } from '@tieline/targets/file-source'

/** The place that holds the bills, in folders or not. Every method can throw a CallError. */
export interface BillSource extends AsyncDisposable {
  /** Undefined when there is no such file. */
  find(name: string): Promise<SourceFile | undefined>
  /** At least so many bytes of a file from its beginning, or all. */
  openBeginning(file: SourceFile, bytes: number, signal: AbortSignal): Promise<Readable>
  /** All of a file; see FileSource. */
  open(file: SourceFile, signal: AbortSignal): Promise<Readable>
}

/** As long as a whole transfer may take: an answer of a slow SFTP server waits for all that were asked for before. */
const readTimeoutMs = 60_000

/**
 * Opens the source of section `bills` twice: to look, and to read. So neither a question whether a bill is there, nor one
 * whether the source is, waits behind the content of other bills. Nothing is connected yet.
 * @throws ConfigurationError when a private key cannot be read or used
 */
export async function openBillSource(
  { source: section, firstByteWithinS }: Pick<BillsSection, 'source' | 'firstByteWithinS'>,
  connections: Installation['connections'],
  logger?: Pick<Logger, 'info' | 'warn'>,
): Promise<BillSource> {
  await using opened = new AsyncDisposableStack()
  const looking = opened.use(await openBillFiles(section, connections, firstByteWithinS * 1_000, logger))
  const reading = opened.use(await openBillFiles(section, connections, readTimeoutMs, logger))
  const owned = opened.move()
  return {
    find: (name) => looking.find(name),
    openBeginning(file, bytes, signal) {
      // An SFTP source asks ahead for all that the file is said to have, so there it is said to be short.
      const part = section.kind === 'sftp' ? { ...file, bytes: Math.min(bytes, file.bytes) } : file
      return looking.open(part, signal)
    },
    open: (file, signal) => reading.open(file, signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
