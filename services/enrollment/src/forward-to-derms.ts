import { readMsgAck } from '@tieline/contracts/msg-ack'
import { externalIdReply } from '@tieline/contracts/replies'
import type { Processor } from '@tieline/journal/types'
import { routeToDerms } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { endNotice, endOf, faultReply } from '@tieline/worker-service/endings'
import { readMessage } from '@tieline/worker-service/message-reader'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import type { z } from 'zod'

/** What differs between the two flows that DACS sends to DERMS. */
interface Forwarding<Schema extends z.ZodType> {
  readonly flow: 'enrollment-sync' | 'device-status-check'
  readonly operation: 'enroll' | 'statusCheck'
  readonly contract: Schema
  readonly map: (message: z.infer<Schema>, lookups: LookupSnapshot) => object
  /** DACS' own id of the message: the reply gives it back. */
  readonly id: (message: z.infer<Schema>) => string
  readonly division: (message: z.infer<Schema>) => string | null | undefined
}

/**
 * F2 and F4: map, hand over to DERMS, tell DACS its own id. DERMS' 200 is the good answer whatever its body says; a body
 * that says otherwise is put on the time line. Every other end is a fault, and DACS decides about sending again.
 */
export const createForwarding = <Schema extends z.ZodType>(
  { flow, operation, contract, map, id, division }: Forwarding<Schema>,
  { connections, installation, clock, openReader }: WorkerDeps,
): Processor<LookupSnapshot> => ({
  flow,

  async process(attempt, lookups) {
    const message = await readMessage(openReader(attempt), contract, attempt.payload)
    const body = map(message, lookups)
    const connection = await attempt.pin('connection', () =>
      routeToDerms(lookups, connections.kinds, { division: division(message) ?? undefined }),
    )
    const derms = connections.derms(connection)
    const { ackType } = await attempt.call(
      operation,
      derms,
      operation,
      { body },
      { keep: (answer) => ({ ackType: readMsgAck(answer.body)?.ackType }) },
    )
    if (ackType === 'ERROR' || ackType === 'FAILURE') await attempt.note({ what: 'answer', connection, ackType })
    return { state: 'succeeded', outcome: 'SUCCESS', reply: externalIdReply(id(message)) }
  },

  giveUp(attempt, error) {
    const end = endOf(error)
    return {
      ...end,
      code: error.code,
      reply: faultReply(attempt, error),
      notices: [endNotice({ attempt, error, end, installation, nowMs: clock() })],
    }
  },
})
