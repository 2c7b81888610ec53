import { createHash, type Hash } from 'node:crypto'
import type { AttemptFile } from '@tieline/journal/types'
import { backoff, TielineError } from '@tieline/runtime/error'
import { type EventRowsReading, readEventRows } from '@tieline/worker-service/event-rows'

/**
 * Reads a file from its beginning to its end, so that nothing of one is posted that cannot be read.
 * @returns the number of rows
 * @throws TielineError `file-unreadable` naming the row, `payload-unreadable` when it is not the file that was received
 */
export async function countRows(file: AttemptFile, reading: EventRowsReading): Promise<number> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const list of readEventRows(observed(file.open(), hash), reading)) rows += list.length
  if (hash.digest('hex') === file.sha256) return rows
  throw new TielineError('payload-unreadable', backoff, 'The stored file is not the one that was received')
}

async function* observed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}
