import { textOf, valueAt } from '@tieline/contracts/json-object'
import {
  type EnrollmentRecord,
  enrollmentRecord,
  enrollmentRequest,
} from '@tieline/contracts/messages/enrollment-request'
import { brokenContract, faultsOf, parsePayload } from '@tieline/worker-service/parse-payload'

/** One entry of the list: a record, or what is wrong with it by paths and rules. */
export type InboundRecord =
  | { readonly id: string; readonly record: EnrollmentRecord }
  | { readonly id: string; readonly faults: string }

export interface InboundRecords {
  readonly instance: string | undefined
  readonly entries: readonly InboundRecord[]
}

/**
 * Reads an enrollment request, each record by itself, so that a bad one spoils no other.
 * @throws TielineError `contract-violation` when there is no list, or nothing in it
 */
export function readInboundRecords(payload: unknown): InboundRecords {
  const { drmsInstanceId, params } = parsePayload(enrollmentRequest, payload)
  if (params.length === 0) throw brokenContract('params: must not be empty')
  return { instance: drmsInstanceId ?? undefined, entries: params.map(readInboundRecord) }
}

function readInboundRecord(param: unknown, index: number): InboundRecord {
  const parsed = enrollmentRecord.safeParse(param)
  if (parsed.success) return { id: parsed.data.messageId, record: parsed.data }
  return { id: textOf(valueAt(param, 'messageId')) ?? '', faults: faultsOf(parsed.error, 'params', String(index)) }
}
