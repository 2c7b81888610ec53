import { acknowledge } from '@tieline/contracts/acknowledgment'
import type { Attempt, Processor, Settlement } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { backoff, CallError, never, TielineError } from '@tieline/runtime/error'
import { effectiveFlow } from '@tieline/runtime/installation'
import { type ConnectionWatch, createConnectionWatch } from '@tieline/worker-service/connection-watch'
import { endOf, errorNotice } from '@tieline/worker-service/endings'
import { emptyRowsOf, readEventRows } from '@tieline/worker-service/event-rows'
import { forEachLimited } from '@tieline/worker-service/for-each-limited'
import { readMessage } from '@tieline/worker-service/message-reader'
import { inSegments, type Segment } from '@tieline/worker-service/segments'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { countRows } from '../count-rows.ts'
import type { EventFile } from '../event-file.ts'
import { completionNotice, wordFaults, wordTotals } from '../file-endings.ts'
import { createFileReport, FileFailed, type FileReport } from '../file-report.ts'
import { sendSegment } from '../send-segment.ts'

interface FileMessage {
  readonly messageId: string
  readonly drmsInstanceId?: string | null | undefined
}

/**
 * F6 and F9: the rows of a file go to DACS in segments, several at a time, and DERMS is told by call-back how it ended. DACS is
 * asked for its health first, and the file is read to its end before anything is posted; a later attempt sends only what is not confirmed.
 */
export function createEventFileProcessor<Message extends FileMessage, Item>(
  file: EventFile<Message, Item>,
  deps: Pick<WorkerDeps, 'connections' | 'installation' | 'clock' | 'openReader'>,
): Processor<LookupSnapshot> {
  const { connections, installation, clock, openReader } = deps
  const { flow } = file
  const { compat } = installation
  const segmentRowsNow = String(effectiveFlow(flow, installation).segmentRows)

  const confirmed = (attempt: Attempt, { totals }: FileReport): Settlement => ({
    state: 'succeeded',
    outcome: 'SUCCESS',
    rows: totals,
    acknowledgment: acknowledge(attempt, { flow, ackType: 'SUCCESS', value: wordTotals(totals), nowMs: clock() }),
    notices: [completionNotice({ attempt, code: 'completed', totals, next: told.SUCCESS, nowMs: clock() })],
  })

  const withRowsLeftOut = (attempt: Attempt, { totals, faults }: FileReport): Settlement => {
    const code = 'rows-left-out'
    const error = new TielineError(code, never, `${totals.refused} of ${totals.read} rows were left out`)
    const value = `${wordTotals(totals)}. ${wordFaults(faults, totals.refused)}`
    return {
      state: 'dead',
      outcome: 'ERROR',
      code,
      reason: error.message,
      rows: totals,
      faults,
      acknowledgment: acknowledge(attempt, { flow, ackType: 'ERROR', value, nowMs: clock() }),
      notices: [
        errorNotice({ attempt, error, next: next.ERROR, state: 'dead', nowMs: clock() }),
        completionNotice({ attempt, code, totals, next: told.ERROR, nowMs: clock() }),
      ],
    }
  }

  return {
    flow,

    async process(attempt, lookups) {
      const message = await readMessage(openReader(attempt), file.message, attempt.payload)
      const by = { instance: message.drmsInstanceId ?? undefined }
      const dacs = connections.dacs(await attempt.pin('dacs', () => routeToDacs(lookups, connections.kinds, by)))
      await dacs.call('healthCheck', {})
      const segmentRows = Number(await attempt.pin('segmentRows', () => segmentRowsNow, { keep: true }))
      const reading = { flow, aliases: compat.fieldAliases[flow], emptyRows: await pinEmptyRows(attempt) }
      const content = requireFile(attempt)
      const rows = Number(await attempt.pin('rows', async () => String(await countRows(content, reading, attempt))))

      // Every attempt reads all rows; what is let pass of them is counted by the first that comes so far.
      const counting = await attempt.pin('rowsReadBy', () => String(attempt.number))
      const reader = openReader(attempt, counting === String(attempt.number))
      const report = createFileReport(rows)
      const watch = createConnectionWatch(Math.max(2, dacs.concurrency))
      const sending = { file, message, context: { lookups, compat, readRow: reader.readRow }, attempt, dacs, watch }
      const segments = inSegments(
        readEventRows(content.open(), { ...reading, passedOver: reader.leftOut }),
        segmentRows,
      )
      await forEachLimited(whileUp(segments, watch), dacs.concurrency, async (segment) => {
        report.add(await sendSegment(segment, sending))
      })

      const result = report.result()
      await reader.tell()
      await attempt.note({ what: 'rows', ...result.totals })
      if (result.failure) throw new FileFailed(result.failure, result)
      if (result.totals.confirmed === rows) return confirmed(attempt, result)
      if (result.totals.notSent === 0) return withRowsLeftOut(attempt, result)
      throw new TielineError(
        'payload-unreadable',
        backoff,
        'The stored file has other rows than when it was read first',
      )
    },

    givesUpUnread: true,
    giveUp(attempt, error) {
      const report = error instanceof FileFailed ? error.report : undefined
      const cause = error instanceof FileFailed ? error.failure : error
      // Whatever DACS says to a call is a failure of the file: its rows are judged inside DACS.
      const end = cause instanceof CallError ? ({ state: 'dead', outcome: 'FAILURE' } as const) : endOf(cause)
      const farText = cause instanceof CallError ? cause.farText : undefined
      const value = [...(report ? [wordTotals(report.totals)] : []), cause.message, ...(farText ? [farText] : [])]
      const facts = { attempt, nowMs: clock() }
      const completion = {
        ...facts,
        code: cause.code,
        next: told[end.outcome],
        ...(report && { totals: report.totals }),
      }
      const wasRead = report !== undefined || cause.code === 'file-unreadable'
      return {
        ...end,
        code: cause.code,
        ...(report && { rows: report.totals, faults: report.faults }),
        acknowledgment: acknowledge(attempt, { flow, ackType: end.outcome, value: value.join('. '), nowMs: clock() }),
        notices: [
          errorNotice({ ...facts, error: cause, next: next[end.outcome], state: end.state }),
          ...(wasRead ? [completionNotice(completion)] : []),
        ],
      }
    },
  }
}

/** To those who care for the event. */
const told = {
  SUCCESS: 'DERMS is told SUCCESS. Nothing more happens.',
  ERROR: 'DERMS is told ERROR. The administrators have an e-mail about it.',
  FAILURE:
    'DERMS is told FAILURE and sends it again, as often as its MAX_RETRIES allows; only what is missing is sent then. The administrators have an e-mail about it.',
} as const

/** To the administrators. */
const next = {
  ERROR:
    'DERMS is told ERROR. Sending it again helps only when the cause is mended: then run it again, which sends only what is not confirmed; or have DERMS send it anew.',
  FAILURE:
    'DERMS is told FAILURE and sends it again, as often as its MAX_RETRIES allows. You can also run it again yourself. Either way only what is not confirmed is sent.',
} as const

function requireFile({ file }: Attempt) {
  if (file !== undefined) return file
  throw new TielineError('file-unreadable', never, 'The message has no file')
}

/** The ids of calls depend on the numbers of rows, so these stay as long as those. */
async function pinEmptyRows(attempt: Pick<Attempt, 'pin' | 'effects'>) {
  const choose = async () =>
    emptyRowsOf(
      undefined,
      (await attempt.effects()).map(({ id }) => id),
    )
  return emptyRowsOf(await attempt.pin('emptyRows', choose, { keep: true }), [])
}

/** Further segments would only wait for nothing: they are not sent in this attempt. */
async function* whileUp(segments: AsyncIterable<Segment>, watch: ConnectionWatch): AsyncGenerator<Segment> {
  for await (const segment of segments) {
    if (watch.down) return
    yield segment
  }
}
