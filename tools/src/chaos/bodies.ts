import { examples } from '@tieline/contracts/examples'
import type { InboundFlowId } from '@tieline/contracts/flows'

/** A message of a caller. Different `version`s of one id differ in their payload, in a way that the target can see. */
export interface Message {
  readonly flow: InboundFlowId
  readonly body: (version: number) => unknown
  /** Of an event file: its CSV. */
  readonly content?: (version: number) => string
}

const [record] = examples['enrollment-request'].params
const sync = examples['enrollment-sync'].sendDetails
const check = examples['device-status-check'].sendDetails

/** The record of index `refused` names a program that DACS does not have. */
export const enrollment = (ids: readonly string[], refused = -1): Message => ({
  flow: 'enrollment-request',
  body: (version) => ({
    drmsInstanceId: 'SITE1',
    params: ids.map((messageId, i) => ({
      ...record,
      messageId,
      customerInfo: { ...record?.customerInfo, homePhone: `555-010${version}` },
      programInfo: { ...record?.programInfo, ...(i === refused && { programCode: 'NO-SUCH-PROGRAM' }) },
    })),
  }),
})

export const enrollmentSync = (syncRequestId: string, subscriptionId: string): Message => ({
  flow: 'enrollment-sync',
  body: (version) => ({
    sendDetails: {
      ...sync,
      syncRequestId,
      subscriptionInfo: { ...sync.subscriptionInfo, subscriptionId, status: `ACTIVE-${version}` },
    },
  }),
})

/** From version 1 on DERMS changes its mind: it found a fault. */
export const enrollmentSyncAck = (dacsMessageId: string): Message => ({
  flow: 'enrollment-sync-ack',
  body: (version) => {
    const code = version === 0 ? 'SUCCESS' : 'ERROR'
    const value = version === 0 ? '' : `fault ${version}`
    const response = { id: '', value, responseCode: code, responseTimeISO: '2024-09-01T18:01:00.000Z', dacsMessageId }
    return { MsgAck: { ackType: code, whenISO: '2024-09-01T18:01:00.000Z', responses: { response: [response] } } }
  },
})

export const deviceStatusCheck = (communicationId: string): Message => ({
  flow: 'device-status-check',
  body: (version) => ({
    sendDetails: {
      ...check,
      communicationId,
      deviceInfo: { ...check.deviceInfo, nicid: `NIC-${communicationId.slice(-6)}-${version}` },
    },
  }),
})

/** DACS takes SUCCESS and FAILURE, and refuses what it does not know. */
export const deviceStatusAck = (dacsMessageId: string): Message => ({
  flow: 'device-status-ack',
  body: (version) => ({ dacsMessageId, responseCode: ['SUCCESS', 'FAILURE'][version] ?? `CODE-${version}` }),
})

export type StageStatus = 'SCHEDULED' | 'IN_PROGRESS' | 'COMPLETED' | 'CANCELED'

export const stageStatus = (stageId: string, status: StageStatus): Message => ({
  flow: 'stage-status',
  body: (version) => ({
    ...examples['stage-status'],
    messageId: `STG-${stageId}-${status}`,
    eventId: `EVT-${stageId}`,
    stageId,
    stageStatus: status,
    stageEndDateTime: `2024-09-01T2${version}:00:00Z`,
    ...(status === 'CANCELED' && { cancelReason: `Forecast changed ${version}` }),
  }),
})
