import { ackTime } from '@tieline/contracts/date-time'
import type { AckType, MsgAck } from '@tieline/contracts/msg-ack'
import { type CallError, TielineError } from '@tieline/runtime/error'
import type { InboundRecord } from './inbound-records.ts'
import type { RecordResult } from './mappings/enrollment-request.ts'

/** What DERMS is told about one record of an enrollment request. */
export interface RecordAnswer extends RecordResult {
  readonly id: string
  /** When it was answered, milliseconds since 1970. */
  readonly atMs: number
}

/** The order is DERMS' own: a FAILURE has the message sent again, which repairs nothing else and harms nothing else. */
export function ackTypeOf(answers: readonly RecordAnswer[]): AckType {
  const codes = new Set(answers.map(({ responseCode }) => responseCode))
  if (codes.has('FAILURE')) return 'FAILURE'
  return codes.has('ERROR') ? 'ERROR' : 'SUCCESS'
}

/** The list of answers that is returned to DERMS. */
export const toMsgAck = (answers: readonly RecordAnswer[], nowMs: number): MsgAck => ({
  ackType: ackTypeOf(answers),
  whenISO: ackTime(nowMs),
  responses: answers.map(({ id, value, responseCode, atMs }) => ({
    id,
    ...(value !== undefined && { value }),
    responseCode,
    responseTimeISO: ackTime(atMs),
  })),
})

/** The enrollments that DACS made, as search terms. */
export const enrollmentIdsOf = (answers: readonly RecordAnswer[]): string[] =>
  answers.flatMap(({ enrollmentId }) => enrollmentId ?? [])

/** So many records are named. */
const namedMax = 5

/** Which records are not enrolled, and what is wrong with them; what DACS says of them is in the answer to DERMS. */
export function wordRefused(entries: readonly InboundRecord[], answers: readonly RecordAnswer[]): string {
  const wrong = entries.flatMap((entry, i) => {
    if (answers[i]?.responseCode === 'SUCCESS') return []
    return [`${entry.id || 'without an id'}: ${'faults' in entry ? entry.faults : 'DACS did not take it'}`]
  })
  const more = wrong.length - namedMax
  const named = [...wrong.slice(0, namedMax), ...(more > 0 ? [`and ${more} more`] : [])]
  return `${wrong.length} of ${entries.length} records: ${named.join('; ')}`
}

/** Some records met a technical failure. It carries what is known so far, for the case that it was the last attempt. */
export class RecordsFailed extends TielineError {
  /** The failure that decides about the next attempt and stands in the e-mail. */
  readonly first: CallError
  /** Private, because answers hold the far side's words and no serializer of errors may print them. */
  readonly #answers: readonly RecordAnswer[]

  constructor(first: CallError, answers: readonly RecordAnswer[]) {
    super(first.code, first.retry, first.message, { cause: first })
    this.name = 'RecordsFailed'
    this.first = first
    this.#answers = answers
  }

  get answers(): readonly RecordAnswer[] {
    return this.#answers
  }
}
