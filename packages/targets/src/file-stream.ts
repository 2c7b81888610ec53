import { Readable } from 'node:stream'
import { fileChanged, SourceFailure, stopped, toCallError } from './source-failure.ts'

export interface FileStreamOptions {
  readonly connection: string
  /** Size of the file as it was listed. */
  readonly bytes: number
  /** May end early or go on too long; that is found out here. */
  readonly chunks: AsyncIterable<Buffer>
  /** Asked when all is read, before the last of it is given. @throws SourceFailure when the file changed while it was read */
  readonly confirm?: () => Promise<void>
  /** Gives back what the file is read from. Called once, as soon as the stream has ended, failed or been given up. */
  readonly release: () => void
  readonly signal?: AbortSignal | undefined
}

/**
 * A stream of exactly so many bytes; it fails with a CallError rather than end short or long.
 * @throws SourceFailure when the signal has aborted already: nobody listens to the stream yet
 */
export function createFileStream(options: FileStreamOptions): Readable {
  const { connection, release, signal } = options
  if (signal?.aborted) {
    release()
    throw stopped()
  }
  const startedAt = performance.now()
  const chunks = exactly(options)
  const tell = (error: Error) =>
    error instanceof SourceFailure ? toCallError(error, connection, 'read', startedAt) : error
  const stop = () => stream.destroy(toCallError(stopped(), connection, 'read', startedAt))

  // Not Readable.from: that one waits for a chunk that is under way before it lets itself be destroyed, and never
  // finishes a generator that it did not start.
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      chunks.next().then(
        ({ value, done }) => this.push(done ? null : value),
        (error: Error) => this.destroy(tell(error)),
      )
    },
    destroy(error, callback) {
      signal?.removeEventListener('abort', stop)
      release()
      callback(error)
    },
  })
  signal?.addEventListener('abort', stop)
  return stream
}

/** The last chunk is held back until the file is known to be whole: who gets as many bytes as were announced takes it for whole. */
async function* exactly({ bytes, chunks, confirm }: FileStreamOptions): AsyncGenerator<Buffer, void> {
  let left = bytes
  let held: Buffer | undefined
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue
    left -= chunk.length
    if (left < 0) throw fileChanged('found more bytes than were listed')
    if (held !== undefined) yield held
    held = chunk
  }
  if (left > 0) throw fileChanged('found fewer bytes than were listed')
  await confirm?.()
  if (held !== undefined) yield held
}
