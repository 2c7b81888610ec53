import { type EnrollmentSyncAck, enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { msgAckParts } from '@tieline/contracts/msg-ack'
import type { Attempt, Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { TielineError } from '@tieline/runtime/error'
import { endOf, errorNotice } from '@tieline/worker-service/endings'
import { readMessage } from '@tieline/worker-service/message-reader'
import { soonestRetry } from '@tieline/worker-service/soonest-retry'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { toDacsSyncUpdate } from '../mappings/enrollment-sync-ack.ts'
import { routeByRequest } from '../route-by-request.ts'

/**
 * F3: what DERMS made of enrollment syncs goes into the sync requests of DACS, after a wait: DACS must have ended the
 * transaction that sent the sync. Nobody waits for the result, so every bad end is a dead letter.
 */
export function createEnrollmentSyncAck(deps: WorkerDeps): Processor<LookupSnapshot> {
  const { connections, clock } = deps
  const update = async (
    attempt: Attempt,
    lookups: LookupSnapshot,
    response: EnrollmentSyncAck['responses'][number],
    index: number,
  ) => {
    const { dacsMessageId } = response
    const connection = await routeByRequest(attempt, lookups, deps, { flow: 'enrollment-sync', dacsMessageId })
    const dacs = connections.dacs(connection)
    const body = toDacsSyncUpdate(response, lookups)
    await attempt.call(`sync.${dacsMessageId}.${index}`, dacs, 'updateSyncRequest', { segment: dacsMessageId, body })
  }

  return {
    flow: 'enrollment-sync-ack',

    async process(attempt, lookups) {
      const reader = deps.openReader(attempt)
      const { responses } = await readMessage(reader, enrollmentSyncAck, attempt.payload, { parts: msgAckParts })
      const dueAt = attempt.acceptedAt + lookups.configProps.enrollmentSyncAckDelay * 1_000
      if (clock() < dueAt) attempt.postpone(dueAt)

      const failures: TielineError[] = []
      for (const [index, response] of responses.entries()) {
        try {
          await update(attempt, lookups, response, index)
        } catch (error) {
          if (!(error instanceof TielineError)) throw error
          failures.push(error)
        }
      }
      const failure = soonestRetry(failures)
      if (failure) throw failure
      return { state: 'succeeded', outcome: 'SUCCESS' }
    },

    giveUp(attempt, error) {
      const next = 'DERMS sends it only once: mend the cause, then run it again. Only what is not confirmed is sent.'
      return {
        state: 'dead',
        outcome: endOf(error).outcome,
        code: error.code,
        notices: [errorNotice({ attempt, error, next, state: 'dead', nowMs: clock() })],
      }
    },
  }
}
