import { z } from 'zod'
import { ackTime } from './date-time.ts'
import { type FileFlowId, fileFlowIds } from './flows.ts'
import { textOf, valueAt } from './json-object.ts'
import { type AckType, ackTypes, msgAckResponseFields } from './msg-ack.ts'

/** A due acknowledgment of an event file: the payload of an `acknowledgment` message. It is written when the file settles. */
export const acknowledgment = z.object({
  /** The flow of the file, which says where DERMS wants to hear of it. */
  flow: z.enum(fileFlowIds),
  /** Routing key of the way back. */
  drmsInstanceId: z.string().exactOptional(),
  ack: z.object({
    ackType: z.enum(ackTypes),
    whenISO: z.string(),
    responses: z.array(z.object(msgAckResponseFields)),
  }),
})

export type Acknowledgment = z.infer<typeof acknowledgment>

const valueLengthMax = 1_000

/**
 * What DERMS is told about a file. It is routed and named by the message as it was received, whatever is wrong with it; by the
 * record of a message that cannot be read.
 */
export function acknowledge(
  message: { readonly payload: unknown; readonly instance: string; readonly id: string },
  told: { readonly flow: FileFlowId; readonly ackType: AckType; readonly value: string; readonly nowMs: number },
): Acknowledgment {
  const isRead = message.payload !== undefined
  const drmsInstanceId = isRead ? textOf(valueAt(message.payload, 'drmsInstanceId')) : message.instance
  const { flow, ackType, value, nowMs } = told
  const nowISO = ackTime(nowMs)
  const response = {
    id: textOf(valueAt(message.payload, 'messageId')) ?? message.id,
    value: value.slice(0, valueLengthMax).toWellFormed(),
    responseCode: ackType,
    responseTimeISO: nowISO,
  }
  return {
    flow,
    ...(drmsInstanceId !== undefined && { drmsInstanceId }),
    ack: { ackType, whenISO: nowISO, responses: [response] },
  }
}
