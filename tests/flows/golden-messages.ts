import { hash } from 'node:crypto'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { examples } from '@tieline/contracts/examples'
import { flowSpec, type InboundFlowId } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'

/** The golden messages under ids of a test's own, so that one pipeline serves many tests. */

type Changes = Readonly<Record<string, unknown>>

const [goldenRecord] = examples['enrollment-request'].params

/** F1: one good record; changes replace whole objects of it. */
export const enrollmentRecord = (messageId: string, changes: Changes = {}) => ({
  ...goldenRecord,
  messageId,
  ...changes,
})

export const enrollmentRequest = (...params: readonly unknown[]) => ({ drmsInstanceId: 'SITE1', params })

/** A record that DACS refuses: it does not know the program. */
export const unknownProgram = (messageId: string) =>
  enrollmentRecord(messageId, { programInfo: { programCode: 'UNKNOWN' } })

/** F1: what DACS has to receive for a good record. */
export const toDacsEnrollment = (messageId: string) => ({
  ...examples['enrollment-request.to-dacs'],
  transactionId: messageId,
})

const golden = examples['enrollment-sync'].sendDetails

interface SyncChanges {
  readonly contactInfo?: object
  readonly subscriptionInfo?: object
  readonly locationInfo?: object
}

/** F2: each id has a subscription of its own, unless told otherwise. */
export const enrollmentSync = (syncRequestId: string, changes: SyncChanges = {}) => ({
  sendDetails: {
    syncRequestId,
    contactInfo: { ...golden.contactInfo, ...changes.contactInfo },
    subscriptionInfo: { ...golden.subscriptionInfo, subscriptionId: syncRequestId, ...changes.subscriptionInfo },
    locationInfo: { ...golden.locationInfo, ...changes.locationInfo },
  },
})

/** F2: what DERMS has to receive. */
export const toDermsEnrollment = (syncRequestId: string, changes: SyncChanges = {}) => {
  const { contactInfo, subscriptionInfo, locationInfo } = examples['enrollment-sync.to-derms']
  return {
    dacsMessageId: syncRequestId,
    contactInfo: { ...contactInfo, ...changes.contactInfo },
    subscriptionInfo: { ...subscriptionInfo, subscriptionId: syncRequestId, ...changes.subscriptionInfo },
    locationInfo: { ...locationInfo, ...changes.locationInfo },
  }
}

const whenISO = '2024-09-01T18:01:00.000Z'

/** F3 as DERMS writes it; a response without a code is SUCCESS. */
export const enrollmentSyncAck = (
  ...responses: readonly { dacsMessageId: string; responseCode?: string; value?: string }[]
) => ({
  MsgAck: {
    ackType: responses.every(({ responseCode = 'SUCCESS' }) => responseCode === 'SUCCESS') ? 'SUCCESS' : 'ERROR',
    whenISO,
    responses: {
      response: responses.map((response) => ({
        id: '',
        value: '',
        responseCode: 'SUCCESS',
        responseTimeISO: whenISO,
        ...response,
      })),
    },
  },
})

/** F4. */
export const deviceStatusCheck = (communicationId: string, deviceInfo: object = {}) => ({
  sendDetails: {
    communicationId,
    deviceInfo: { ...examples['device-status-check'].sendDetails.deviceInfo, ...deviceInfo },
  },
})

/** F5. */
export const deviceStatusAck = (dacsMessageId: string, responseCode = 'SUCCESS') => ({ dacsMessageId, responseCode })

/** The key under which the journal knows a message that its usual sender posted. */
export function keyOf(flow: InboundFlowId, body: unknown): string {
  const client = flowSpec(flow).caller.toLowerCase()
  return identify(flow, body, client, hash('sha256', canonicalJson(body), 'hex')).key
}
