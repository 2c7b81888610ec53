import { acknowledgment } from '@tieline/contracts/acknowledgment'
import type { FileFlowId } from '@tieline/contracts/flows'
import { renderMsgAck } from '@tieline/contracts/msg-ack'
import type { Processor } from '@tieline/journal/types'
import { routeToDerms } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { errorNotice } from '@tieline/worker-service/endings'
import { parsePayload } from '@tieline/worker-service/parse-payload'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'

/** How a file ended is told to DERMS. A failing acknowledgment is tried for a day, and never repeats the work it tells of. */
export function createAcknowledgmentProcessor({
  connections,
  installation: { compat },
  clock,
}: Pick<WorkerDeps, 'connections' | 'installation' | 'clock'>): Processor<LookupSnapshot> {
  return {
    flow: 'acknowledgment',

    async process(attempt, lookups) {
      const { flow, drmsInstanceId, ack } = parsePayload(acknowledgment, attempt.payload)
      const by = { instance: drmsInstanceId }
      const derms = connections.derms(await attempt.pin('derms', () => routeToDerms(lookups, connections.kinds, by)))
      await attempt.call('acknowledge', derms, operations[flow], { body: renderMsgAck(ack, compat) })
      return { state: 'succeeded', outcome: 'SUCCESS' }
    },

    giveUp(attempt, error) {
      const code = 'ack-undelivered'
      const notice = errorNotice({ attempt, error, next, state: 'dead', nowMs: clock() })
      return { state: 'dead', outcome: 'FAILURE', code, notices: [{ ...notice, code, cause: error.code }] }
    },
  }
}

const operations = {
  'event-reservation': 'eventReservationAck',
  'event-outcome': 'deviceOutcomeAck',
} as const satisfies Record<FileFlowId, string>

const next =
  'The file itself has ended and is not worked on again; DERMS does not know how it ended. Mend the cause, then run this again: it sends the acknowledgment alone.'
