import { z } from 'zod'
import { flowSpec, type InboundFlowId } from './flows.ts'
import { renderMsgAck } from './msg-ack.ts'
import { oicFault } from './oic-fault.ts'

/** The HTTP answer of an awaited flow. */
export interface WireReply {
  status: number
  body: unknown
}

/** What DACS reads as "received": the id it gave the message. */
export const externalIdDocument = z.object({ responseDetails: z.object({ externalId: z.string() }) })

/** The good answer of the enrollment sync and of the device status check. */
export const externalIdReply = (id: string): WireReply => ({
  status: 200,
  body: { responseDetails: { externalId: id } },
})

interface ProvisionalFacts {
  /** The message's own id: `messageId`, or `dacsMessageId` for a device status. */
  messageId: string
  msgAckWrapper: boolean
  nowISO: string
}

/**
 * The answer to a caller whose message is accepted but not finished in time. Both forms make the sender repeat the message,
 * and the repeat collects the result.
 */
export function provisionalReply(
  flow: InboundFlowId,
  { messageId, msgAckWrapper, nowISO }: ProvisionalFacts,
): WireReply {
  if (flowSpec(flow).replyShape === 'externalId') {
    return {
      status: 503,
      body: oicFault({
        status: 503,
        detail: 'The message is accepted and still in progress; send it again to collect the result',
        instance: flow,
        errorCode: 'IN_PROGRESS',
      }),
    }
  }
  const response = {
    ...(flow === 'device-status-ack' ? { dacsMessageId: messageId } : { id: messageId }),
    value: 'IN_PROGRESS',
    responseCode: 'FAILURE',
    responseTimeISO: nowISO,
  }
  const ack = { ackType: 'FAILURE' as const, whenISO: nowISO, responses: [response] }
  return { status: 200, body: renderMsgAck(ack, { msgAckWrapper }) }
}
