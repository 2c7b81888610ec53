import type { FileFlowId } from '@tieline/contracts/flows'
import { outcomeColumns, outcomeRow } from '@tieline/contracts/messages/event-outcome'
import { reservationColumns, reservationRow } from '@tieline/contracts/messages/event-reservation'
import type { CsvColumns } from './csv-header.ts'
import { type CsvRow, readCsvRows } from './csv-rows.ts'
import { isSegmentEffect } from './segments.ts'

export interface EventRowsReading {
  readonly flow: FileFlowId
  /** Other names of columns, see `compat.fieldAliases`. */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** See `emptyRowsOf`. */
  readonly emptyRows: EmptyRows
  readonly passedOver?: CsvColumns['passedOver']
  /** See `CsvReading`. */
  readonly only?: readonly string[]
}

type EmptyRows = 'counted' | 'passed-over'

const columnsOf = {
  'event-reservation': { known: Object.keys(reservationRow.shape), required: reservationColumns },
  'event-outcome': { known: Object.keys(outcomeRow.shape), required: outcomeColumns },
} as const satisfies Record<FileFlowId, object>

/** The rows of an event file, for all who read one: they must agree on the number of each row. See `readCsvRows`. */
export const readEventRows = (
  bytes: AsyncIterable<Buffer>,
  { flow, aliases, emptyRows, passedOver, only }: EventRowsReading,
): AsyncGenerator<CsvRow[]> =>
  readCsvRows(bytes, { ...columnsOf[flow], aliases, passedOver }, { emptyRowsCount: emptyRows === 'counted', only })

/**
 * Whether rows without content have numbers: they once had, and the calls of a message that began then keep their
 * rows, so that what is confirmed is not sent again.
 * @param pinned what the message itself says, in `pins.emptyRows`
 * @param effects ids of its calls so far
 */
export function emptyRowsOf(pinned: string | undefined, effects: Iterable<string>): EmptyRows {
  if (pinned !== undefined) return pinned === 'counted' ? 'counted' : 'passed-over'
  return [...effects].some(isSegmentEffect) ? 'counted' : 'passed-over'
}
