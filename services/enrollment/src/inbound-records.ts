import { textOf, valueAt } from '@tieline/contracts/json-object'
import {
  type EnrollmentRecord,
  enrollmentRecord,
  enrollmentRequest,
} from '@tieline/contracts/messages/enrollment-request'
import type { MessageReader } from '@tieline/worker-service/message-reader'
import { brokenContract, faultsOf } from '@tieline/worker-service/parse-payload'

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
export function readInboundRecords(payload: unknown, reader: MessageReader): InboundRecords {
  const { drmsInstanceId, params } = reader.read(enrollmentRequest, payload)
  if (params.length === 0) throw brokenContract('params: must not be empty')
  const entries = params.map((param, index) => readInboundRecord(param, index, reader))
  return { instance: drmsInstanceId ?? undefined, entries }
}

function readInboundRecord(param: unknown, index: number, reader: MessageReader): InboundRecord {
  const read = reader.try(enrollmentRecord, param, { place: 'params[]' })
  if ('data' in read) return { id: read.data.messageId, record: read.data }
  return { id: textOf(valueAt(param, 'messageId')) ?? '', faults: faultsOf(read.error, 'params', String(index)) }
}
