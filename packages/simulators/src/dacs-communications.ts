import { z } from 'zod'
import type { Operation } from './far-side.ts'
import { key } from './fields.ts'
import { demand, Refusal } from './refusal.ts'

const response = z.strictObject({
  responseDetail: z.strictObject({
    transactionID: key(30),
    result: z.strictObject({ status: z.enum(['SUCCESS', 'FAILURE']) }),
  }),
})

export interface Communication {
  readonly communicationId: string
  /** `AWAITRESP` from the moment the sending was answered; the two last are final. */
  state: 'PENDING' | 'AWAITRESP' | 'COMPLETE' | 'ERROR'
}

/** F5: device status communications, known from their sending (F4), from a test, or all when `acceptUnknown` is set. */
export function createCommunications(acceptUnknown: boolean, withRoot: boolean) {
  const entries = new Map<string, Communication>()

  /** Makes a communication known; one that is known stays as it is. */
  const register = (communicationId: string): Communication => {
    const entry = entries.get(communicationId) ?? { communicationId, state: 'PENDING' }
    entries.set(communicationId, entry)
    return entry
  }

  const postDeviceStatus: Operation = {
    name: 'postDeviceStatus',
    method: 'POST',
    path: '/cross/digitalAssets/controllableDeviceStatus/response',
    accepts: 'json',
    handle({ body }) {
      const { transactionID: communicationId, result } = demand(response, body).responseDetail
      if (!acceptUnknown && !entries.has(communicationId)) {
        throw new Refusal(400, 'Communication not found', `Communication ${communicationId} does not exist`)
      }
      const entry = register(communicationId)
      const state = result.status === 'SUCCESS' ? 'COMPLETE' : 'ERROR'
      const isFinal = entry.state === 'COMPLETE' || entry.state === 'ERROR'
      if (isFinal && entry.state !== state) {
        throw new Refusal(400, 'Transition not allowed', `Communication ${communicationId} is ${entry.state}`)
      }
      entry.state = state
      const answer = { boStatus: state, communicationId }
      return { status: 200, body: withRoot ? { 'X1-CDStsChkR': answer } : answer, applied: !isFinal }
    },
  }
  return { entries, register, operations: [postDeviceStatus] }
}
