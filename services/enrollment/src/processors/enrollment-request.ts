import type { EnrollmentRecord } from '@tieline/contracts/messages/enrollment-request'
import { ownIds } from '@tieline/contracts/replies'
import type { Attempt, Processor, Settlement } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { CallError, type TielineError } from '@tieline/runtime/error'
import type { DacsClient } from '@tieline/targets/dacs'
import { type ConnectionWatch, createConnectionWatch } from '@tieline/worker-service/connection-watch'
import { endNotice, endOf, msgAckReply } from '@tieline/worker-service/endings'
import { forEachLimited } from '@tieline/worker-service/for-each-limited'
import type { MessageReader } from '@tieline/worker-service/message-reader'
import { soonestRetry } from '@tieline/worker-service/soonest-retry'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { badRecordsNotices } from '../bad-records.ts'
import { type InboundRecord, readInboundRecords } from '../inbound-records.ts'
import {
  type RecordResult,
  toDacsEnrollment,
  toRecordResult,
  toRefusedResult,
  toSuccess,
} from '../mappings/enrollment-request.ts'
import {
  ackTypeOf,
  enrollmentIdsOf,
  type RecordAnswer,
  RecordsFailed,
  toMsgAck,
  wordRefused,
} from '../record-answers.ts'

/** What came of the records that break no contract, by message id. */
interface Sent {
  readonly results: ReadonlyMap<string, Timed>
  readonly failures: ReadonlyMap<string, CallError>
}

type Timed = RecordResult & { readonly atMs: number }

/**
 * F1: each record of the list becomes one enrollment in DACS; the list of answers is the reply. A message with technical
 * failures is tried again for the records that have no answer yet.
 */
export function createEnrollmentRequest({
  connections,
  installation,
  clock,
  openReader,
}: WorkerDeps): Processor<LookupSnapshot> {
  const { recordConcurrency } = installation.flows['enrollment-request']

  const settle = (answers: readonly RecordAnswer[]) => {
    const outcome = ackTypeOf(answers)
    const reply = msgAckReply(toMsgAck(answers, clock()), installation.compat)
    return { outcome, reply, terms: enrollmentIdsOf(answers) } satisfies Partial<Settlement>
  }

  return {
    flow: 'enrollment-request',

    async process(attempt, lookups) {
      const reader = openReader(attempt)
      const { instance, entries } = readInboundRecords(attempt.payload, reader)
      await reader.tell()
      const connection = await attempt.pin('connection', () => routeToDacs(lookups, connections.kinds, { instance }))
      const target = { attempt, lookups, dacs: connections.dacs(connection), watch: createConnectionWatch(2), clock }

      const results = new Map<string, Timed>()
      const failures = new Map<string, CallError>()
      await forEachLimited(recordsOf(entries), recordConcurrency, async (record) => {
        if (target.watch.down) return
        try {
          results.set(record.messageId, await enroll(record, target))
        } catch (error) {
          if (!(error instanceof CallError)) throw error
          failures.set(record.messageId, error)
        }
      })

      const answers = entries.map((entry) => answerTo(entry, { results, failures }, clock()))
      const failure = soonestRetry([...failures.values()])
      if (failure) throw new RecordsFailed(failure, answers)
      const settled = settle(answers)
      if (settled.outcome === 'SUCCESS') return { state: 'succeeded', ...settled }
      const byDacs = [...results.values()].some(({ responseCode }) => responseCode !== 'SUCCESS')
      const notices = badRecordsNotices(attempt, entries, clock())
      const code = byDacs ? 'target-refused' : 'contract-violation'
      return { state: 'refused', code, reason: wordRefused(entries, answers), notices, ...settled }
    },

    giveUp(attempt, error) {
      const end = endOf(error)
      const answers = error instanceof RecordsFailed ? error.answers : sameAnswerToAll(attempt.payload, error, clock())
      const notice = endNotice({ attempt, error, end, installation, nowMs: clock() })
      const notices = [
        notice,
        ...badRecordsNotices(attempt, entriesOf(attempt.payload, openReader(attempt, false)), clock()),
      ]
      return { state: end.state, code: error.code, notices, ...settle(answers) }
    },
  }
}

/** The records to send; one that comes twice is sent once. */
function recordsOf(entries: readonly InboundRecord[]): Iterable<EnrollmentRecord> {
  const records = new Map<string, EnrollmentRecord>()
  for (const entry of entries) {
    if ('record' in entry && !records.has(entry.id)) records.set(entry.id, entry.record)
  }
  return records.values()
}

interface Target {
  readonly attempt: Attempt
  readonly lookups: LookupSnapshot
  readonly dacs: DacsClient
  readonly watch: ConnectionWatch
  readonly clock: () => number
}

/** DACS' word for "I have it already" ends the doubt about an earlier call too. */
const enroll = (record: EnrollmentRecord, { attempt, lookups, dacs, watch, clock }: Target): Promise<Timed> =>
  attempt.call(
    `enroll.${record.messageId}`,
    watch.over(dacs),
    'enrollProgram',
    { body: toDacsEnrollment(record, lookups) },
    {
      keep: (answer) => ({ ...toRecordResult(answer.body, lookups), atMs: clock() }),
      keepRefusal: (error) => ({ ...toRefusedResult(error, lookups), atMs: clock() }),
      applied(error) {
        const result = toSuccess(error, lookups)
        return result && { ...result, atMs: clock() }
      },
    },
  )

function answerTo(entry: InboundRecord, { results, failures }: Sent, nowMs: number): RecordAnswer {
  const { id } = entry
  if ('faults' in entry) return { id, responseCode: 'ERROR', value: entry.faults, atMs: nowMs }
  const result = results.get(id)
  if (result) return { id, ...result }
  const value = failures.get(id)?.message ?? 'not sent, because the connection failed for the records before it'
  return { id, responseCode: 'FAILURE', value, atMs: nowMs }
}

/** For errors that concern the whole message: it has no list, no connection, or met an error of Tieline itself. */
function sameAnswerToAll(payload: unknown, error: TielineError, atMs: number): RecordAnswer[] {
  const answer = { responseCode: endOf(error).outcome, value: error.message, atMs }
  return ownIds('enrollment-request', payload).map((id) => ({ id, ...answer }))
}

/** None when there is no list that could be read. */
function entriesOf(payload: unknown, reader: MessageReader): readonly InboundRecord[] {
  try {
    return readInboundRecords(payload, reader).entries
  } catch {
    return []
  }
}
