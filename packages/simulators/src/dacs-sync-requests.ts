import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Operation } from './far-side.ts'
import { key } from './fields.ts'
import { demand, Refusal } from './refusal.ts'

const sequence = z.number().int().min(-999).max(999)
const messageCode = z.number().int().min(-99_999).max(99_999)

const exception = z.strictObject({
  sequence,
  messageCategory: messageCode,
  messageNumber: messageCode,
  comments: z.string().max(254).optional(),
  // Message texts have the places %1 to %9.
  messageParameters: z
    .array(z.strictObject({ parameterSequence: sequence, messageParameterValue: z.string().max(2000) }))
    .max(9)
    .optional(),
})

const pk = z.string().max(60).optional()
const entityId = z.looseObject({ entity: pk, externalPk1: pk, externalPk2: pk, externalPk3: pk, externalPk4: pk })

const update = z.strictObject({
  'F1-UpdateSyncRequest': z.strictObject({
    syncRequestId: key(14),
    hasError: z.boolean(),
    exceptionInfo: z.array(exception).optional(),
    externalIds: z.strictObject({ entityIdList: z.array(entityId) }).optional(),
  }),
})

export type SyncAcknowledgment = z.infer<typeof update>['F1-UpdateSyncRequest']

export interface SyncRequest {
  readonly syncRequestId: string
  state: 'PENDING' | 'COMPLETED' | 'EXCEPTION'
  /** The integration layer answered the sending with this id. */
  accepted: boolean
  /** What moved it out of PENDING. */
  acknowledgment?: SyncAcknowledgment
}

/** F3: sync requests, known from their sending (F2), from a test, or all of them when `acceptUnknown` is set. */
export function createSyncRequests(acceptUnknown: boolean) {
  const entries = new Map<string, SyncRequest>()

  /** Makes a sync request known; one that is known stays as it is. */
  const register = (syncRequestId: string): SyncRequest => {
    const entry = entries.get(syncRequestId) ?? { syncRequestId, state: 'PENDING', accepted: false }
    entries.set(syncRequestId, entry)
    return entry
  }

  const updateSyncRequest: Operation = {
    name: 'updateSyncRequest',
    method: 'PATCH',
    path: '/common/sync/syncRequest/:syncRequestId',
    accepts: 'json',
    handle({ params, body }) {
      const { 'F1-UpdateSyncRequest': acknowledgment } = demand(update, body)
      const { syncRequestId } = acknowledgment
      if (params.syncRequestId !== syncRequestId) {
        throw new Refusal(400, 'Validation error', 'F1-UpdateSyncRequest.syncRequestId: differs from the path')
      }
      if (!acceptUnknown && !entries.has(syncRequestId)) {
        throw new Refusal(400, 'Sync request not found', `Sync request ${syncRequestId} does not exist`)
      }
      const entry = register(syncRequestId)
      const answer = { UPDATE_response: { 'F1-UpdateSyncRequest': acknowledgment } }
      // A repeat of what moved it changes nothing; a final state leads nowhere else.
      if (isDeepStrictEqual(entry.acknowledgment, acknowledgment)) return { status: 200, body: answer, applied: false }
      if (entry.state !== 'PENDING') {
        throw new Refusal(400, 'Transition not allowed', `Sync request ${syncRequestId} is ${entry.state}`)
      }
      const failed = acknowledgment.hasError || (acknowledgment.exceptionInfo?.length ?? 0) > 0
      entry.state = failed ? 'EXCEPTION' : 'COMPLETED'
      entry.acknowledgment = acknowledgment
      return { status: 200, body: answer, applied: true }
    },
  }
  return { entries, register, operations: [updateSyncRequest] }
}
