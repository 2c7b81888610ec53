import {
  type DacsEnrollment,
  type EnrollmentRecord,
  readEnrollmentAnswer,
} from '@tieline/contracts/messages/enrollment-request'
import { type AckType, ackTypes } from '@tieline/contracts/msg-ack'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { CallError } from '@tieline/runtime/error'
import { filled } from './filled.ts'

type Lookups = Pick<LookupSnapshot, 'configProps' | 'find'>

/** What DERMS is told about one record that DACS has answered. */
export interface RecordResult {
  readonly responseCode: AckType
  readonly value?: string
  readonly enrollmentId?: string
}

/** F1: one record of DERMS as DACS wants it (docs/wire-facts.md, F1). */
export function toDacsEnrollment(record: EnrollmentRecord, lookups: Lookups): DacsEnrollment {
  const { messageId, customerInfo, programInfo, locationInfo, assetInfo } = record
  return {
    transactionId: messageId,
    enrollmentSource: lookups.configProps['dacs.enrollmentSource.default'],
    ...filled({
      customerInfo: customerInfo && filled(customerInfo),
      programInfo: programInfo && toProgramInfo(programInfo),
      locationInfo: locationInfo && filled(locationInfo),
      assetInfo: assetInfo && toAssetInfo(assetInfo, lookups),
    }),
  }
}

type ProgramInfo = NonNullable<EnrollmentRecord['programInfo']>
type AssetInfo = NonNullable<EnrollmentRecord['assetInfo']>
type Asset = NonNullable<AssetInfo['assetList']>[number]

/** The day is the one that stands in the text: DERMS writes UTC, and the guide converts nothing. */
const toProgramInfo = ({ startDateTimeISO, ...same }: ProgramInfo) =>
  filled({ ...same, startDate: startDateTimeISO?.split('T')[0] })

const toAssetInfo = ({ assetList, ...same }: AssetInfo, lookups: Lookups) =>
  filled({ ...same, assetList: assetList?.flatMap((asset) => toAsset(asset, lookups) ?? []) })

const toAsset = ({ make, model, specification, assetType, ...same }: Asset, lookups: Lookups) =>
  filled({
    ...same,
    specification: translated('AssetSpec', make && model ? makeModelKey(make, model) : specification, lookups),
    assetType: translated('AssetType', assetType, lookups),
  })

/** Release 24B sends make and model, 22C sent the key ready made. Only A to Z change, so that the key grows no longer than its parts. */
const makeModelKey = (make: string, model: string): string =>
  `${make}!${model}`.replace(/[a-z]/g, (letter) => letter.toUpperCase())

/** A value without a row goes on as it is: DACS knows best whether it is wrong. */
const translated = (lookup: 'AssetSpec' | 'AssetType', value: string | null | undefined, lookups: Lookups) =>
  value && (lookups.find(lookup, value) ?? value)

/** Reads a success of DACS. A state that EnrollmentStatus does not know counts as success when there is an enrollment id. */
export function toRecordResult(body: unknown, lookups: Pick<LookupSnapshot, 'find'>): RecordResult {
  const { enrollmentId, status } = readEnrollmentAnswer(body)
  const responseCode = codeOf(status, lookups) ?? (enrollmentId === undefined ? 'ERROR' : 'SUCCESS')
  const wrong = status === undefined ? 'DACS answered without an enrollment id' : `DACS answered with status ${status}`
  const value = responseCode === 'SUCCESS' ? enrollmentId : wrong
  return { responseCode, ...(value !== undefined && { value }), ...(enrollmentId !== undefined && { enrollmentId }) }
}

/** Reads a refusal of DACS: its words go to DERMS. */
export const toRefusedResult = (error: CallError, lookups: Pick<LookupSnapshot, 'find'>): RecordResult => ({
  responseCode: codeOf(messageNumber(error), lookups) ?? 'ERROR',
  value: error.farText ?? error.message,
})

/**
 * A refusal whose message number EnrollmentStatus calls SUCCESS is a success: 10589 says that DACS has the enrollment
 * already, which is what a repeat is told. The number takes the place of the status in the answer.
 */
export function toSuccess(error: CallError, lookups: Pick<LookupSnapshot, 'find'>): RecordResult | undefined {
  const number = messageNumber(error)
  if (error.outcome !== 'refused' || codeOf(number, lookups) !== 'SUCCESS') return undefined
  return toRecordResult({ status: number }, lookups)
}

const messageNumber = ({ farNumber }: CallError): string | undefined =>
  farNumber === undefined ? undefined : String(farNumber)

function codeOf(key: string | undefined, { find }: Pick<LookupSnapshot, 'find'>): AckType | undefined {
  const code = key === undefined ? undefined : find('EnrollmentStatus', key)
  return ackTypes.find((ackType) => ackType === code)
}
