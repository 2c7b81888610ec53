import { createHash, type Hash } from 'node:crypto'
import { keepIndex } from '@tieline/journal/files/keep-index'
import type { Attempt, AttemptFile } from '@tieline/journal/types'
import { backoff, TielineError } from '@tieline/runtime/error'
import type { CsvRow } from '@tieline/worker-service/csv-rows'
import { deviceIndex } from '@tieline/worker-service/device-index'
import { type EventRowsReading, readEventRows } from '@tieline/worker-service/event-rows'

/**
 * Reads a file from its beginning to its end, so that nothing of one is posted that cannot be read, and keeps by the way what its
 * devices are found by.
 * @returns the number of rows
 * @throws TielineError `file-unreadable` naming the row, `payload-unreadable` when it is not the file that was received
 */
export async function countRows(file: AttemptFile, reading: EventRowsReading, attempt: Attempt): Promise<number> {
  const indexed = observeRows(file, reading)
  if (await keepIndex(attempt, deviceIndex(indexed.lists))) return indexed.count()
  const counted = observeRows(file, reading)
  for await (const _ of counted.lists);
  return counted.count()
}

function observeRows(file: AttemptFile, reading: EventRowsReading) {
  const hash = createHash('sha256')
  let rows = 0
  async function* lists(): AsyncGenerator<CsvRow[]> {
    for await (const list of readEventRows(observed(file.open(), hash), { ...reading, only: ['nicId'] })) {
      rows += list.length
      yield list
    }
    if (hash.digest('hex') === file.sha256) return
    throw new TielineError('payload-unreadable', backoff, 'The stored file is not the one that was received')
  }
  return { lists: lists(), count: () => rows }
}

async function* observed(bytes: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}
