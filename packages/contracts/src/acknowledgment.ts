import { z } from 'zod'
import { fileFlowIds } from './flows.ts'
import { ackTypes, msgAckResponseFields } from './msg-ack.ts'

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
