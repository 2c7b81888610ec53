import type { Attempt, RowFault } from '@tieline/journal/types'
import { CallError, TielineError } from '@tieline/runtime/error'
import type { DacsClient } from '@tieline/targets/dacs'
import type { ConnectionWatch } from '@tieline/worker-service/connection-watch'
import { packRows, type Segment, segmentEffect, unpackRows } from '@tieline/worker-service/segments'
import type { EventFile, RowContext } from './event-file.ts'

/** What became of the rows of one segment. Rows that are in no number were not sent. */
export interface SegmentReport {
  readonly confirmed: number
  readonly refused: number
  readonly unknown: number
  /** Rows that were left out. */
  readonly faults: readonly RowFault[]
  /** Why rows are not confirmed although they could be sent. */
  readonly failure?: CallError
}

export interface Sending<Message extends { readonly messageId: string }, Item> {
  readonly file: EventFile<Message, Item>
  readonly message: Message
  readonly context: RowContext
  readonly attempt: Pick<Attempt, 'call'>
  readonly dacs: DacsClient
  readonly watch: ConnectionWatch
}

/**
 * Sends the rows of a segment that are not confirmed yet. Rows that have to be left out do not hold the others back; when they
 * can go later, because a lookup was mended, they go alone.
 */
export async function sendSegment<Message extends { readonly messageId: string }, Item>(
  segment: Segment,
  { file, message, context, attempt, dacs, watch }: Sending<Message, Item>,
): Promise<SegmentReport> {
  const { items, faults } = mapRows(segment, file, context)
  const last = segment.first + segment.rows.length - 1
  // Places of the rows that no call has confirmed.
  let open = segment.rows.map((_, place) => place)
  const report = (more: Partial<SegmentReport> = {}): SegmentReport => ({
    confirmed: segment.rows.length - open.length,
    refused: 0,
    unknown: 0,
    faults: open.flatMap((place) => faults.get(place) ?? []),
    ...more,
  })

  for (let part = 1; open.some((place) => items.has(place)); part++) {
    const places = open.filter((place) => items.has(place))
    const body = file.toBody(
      message,
      places.flatMap((place) => items.get(place) ?? []),
      context,
    )
    const left = packRows(open.filter((place) => !items.has(place)))
    try {
      const kept = await attempt.call(
        segmentEffect(segment.first, last, part),
        watch.over(dacs),
        file.operation,
        { body },
        { quiet: true, keep: () => (left === undefined ? undefined : { left }) },
      )
      open = unpackRows(kept?.left)
    } catch (failure) {
      if (!(failure instanceof CallError)) throw failure
      const { outcome } = failure
      if (outcome === 'failed') return report({ failure })
      return report({ [outcome]: places.length, failure })
    }
  }
  return report()
}

/** Each row as DACS gets it, or why it cannot go, by its place. */
function mapRows<Message extends { readonly messageId: string }, Item>(
  { rows }: Segment,
  file: EventFile<Message, Item>,
  context: RowContext,
) {
  const items = new Map<number, Item>()
  const faults = new Map<number, RowFault>()
  rows.forEach(({ number, values }, place) => {
    try {
      items.set(place, file.toItem(values, context))
    } catch (error) {
      if (!(error instanceof TielineError)) throw error
      faults.set(place, { row: number, rule: error.message })
    }
  })
  return { items, faults }
}
