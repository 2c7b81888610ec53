import { examples } from '@tieline/contracts/examples'

/** Messages as the simulated systems receive them. */
export const enrollment = examples['enrollment-request.to-dacs']
export const programEvent = examples['stage-status.to-dacs']
export const dermsEnrollment = examples['enrollment-sync.to-derms']
export const dermsStatusCheck = examples['device-status-check.to-derms']

export const syncRequestId = dermsEnrollment.dacsMessageId
export const communicationId = dermsStatusCheck.dacsMessageId

export const acknowledgment = (syncRequest: string, hasError = false) => {
  const example = examples[hasError ? 'enrollment-sync-ack.error-to-dacs' : 'enrollment-sync-ack.to-dacs']
  return { 'F1-UpdateSyncRequest': { ...example['F1-UpdateSyncRequest'], syncRequestId: syncRequest } }
}

export const deviceStatus = (transactionID: string, status = 'SUCCESS') => ({
  responseDetail: { transactionID, result: { status } },
})
