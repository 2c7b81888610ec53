import type { History, Judge, Recorded } from './history.ts'

/**
 * Part of (2): what an outage killed is done when it is resubmitted. It is refused as overtaken only if the target had answered a
 * later message of its line before somebody resubmitted it.
 */
export const resubmittedIsDone: Judge = ({ bulks, messages }) =>
  messages
    .filter(({ state, line }) => state === 'superseded' && line !== undefined)
    .flatMap((message) => {
      const resubmitted = lastBulkOf(message, bulks)
      if (resubmitted === undefined || wasOvertaken(message, messages, resubmitted)) return []
      const what =
        'it was resubmitted after an outage and refused as superseded, although the target had answered no later one'
      return [{ what, keys: [message.key] }]
    })

const lastBulkOf = ({ key }: Recorded, bulks: History['bulks']): number | undefined =>
  bulks.findLast(({ keys }) => keys.includes(key))?.at

const wasOvertaken = ({ line, seq }: Recorded, messages: readonly Recorded[], at: number): boolean =>
  messages.some((other) => other.line === line && other.seq > seq && answeredAt(other) < at)

/** When the journal knew that the target confirmed or refused the message. */
export const answeredAt = ({ timeline }: Recorded): number =>
  timeline.find(({ what, state }) => what === 'called' && (state === 'confirmed' || state === 'refused'))?.at ??
  Number.POSITIVE_INFINITY
