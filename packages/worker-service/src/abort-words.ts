import { acknowledge } from '@tieline/contracts/acknowledgment'
import { ackTime } from '@tieline/contracts/date-time'
import { flowSpec, type InboundFlowId, inboundFlowIds, isFileFlow } from '@tieline/contracts/flows'
import { ackTypes, type MsgAckForm, renderMsgAck } from '@tieline/contracts/msg-ack'
import { lastWordReply, ownIds } from '@tieline/contracts/replies'
import type { Aborted, AbortWords } from '@tieline/journal/abort'
import { z } from 'zod'

const detail = 'An operator ended the message before it was done'
const value = 'ABORTED'

/** What those who wait for a message are told when an operator ends it: ERROR, which nobody repeats, or a fault to DACS. */
export function abortWords(
  message: Pick<Aborted, 'flow' | 'payload' | 'instance' | 'id' | 'kept'>,
  { form, nowMs }: { readonly form: MsgAckForm; readonly nowMs: number },
): AbortWords {
  const { flow, payload } = message
  if (isFileFlow(flow)) {
    return { acknowledgment: acknowledge(message, { flow, ackType: 'ERROR', value: `${value}: ${detail}`, nowMs }) }
  }
  if (!isInbound(flow) || flowSpec(flow).replyMode !== 'await') return {}
  const ids = payload === undefined ? [''] : ownIds(flow, payload)
  const nowISO = ackTime(nowMs)
  if (flow !== 'enrollment-request') {
    return { reply: lastWordReply(flow, { ids, ackType: 'ERROR', value, detail, form, nowISO }) }
  }
  const responses = ids.map((id) => ({ id, ...answerOf(message.kept.get(`enroll.${id}`), nowISO) }))
  return {
    reply: { status: 200, body: renderMsgAck({ ackType: 'ERROR', whenISO: nowISO, responses }, form) },
  }
}

const isInbound = (flow: string): flow is InboundFlowId => inboundFlowIds.some((id) => id === flow)

/** What is kept of a record that DACS has answered. */
const keptAnswer = z.object({ responseCode: z.enum(ackTypes), value: z.string().exactOptional(), atMs: z.number() })

/** A record that DACS has answered is told so: it is enrolled, or refused, whatever became of the message. */
function answerOf(kept: unknown, nowISO: string) {
  const known = keptAnswer.safeParse(kept)
  if (!known.success) return { value, responseCode: 'ERROR' as const, responseTimeISO: nowISO }
  const { atMs, ...answer } = known.data
  return { ...answer, responseTimeISO: ackTime(atMs) }
}
