import { z } from 'zod'
import { flowSpec, type InboundFlowId } from './flows.ts'
import { textOf, valueAt } from './json-object.ts'
import { type AckType, type MsgAckForm, renderMsgAck } from './msg-ack.ts'
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
  /** What the sender calls the records of the message, see `ownIds`. */
  ids: readonly string[]
  form: MsgAckForm
  nowISO: string
}

/**
 * The answer to a caller whose message is accepted but not finished in time. Both forms make the sender repeat the message,
 * and the repeat collects the result.
 */
export function provisionalReply(flow: InboundFlowId, { ids, form, nowISO }: ProvisionalFacts): WireReply {
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
  const responses = ids.map((id) => wholeMessageResponse(flow, { id, value: 'IN_PROGRESS', code: 'FAILURE', nowISO }))
  const ack = { ackType: 'FAILURE' as const, whenISO: nowISO, responses }
  return { status: 200, body: renderMsgAck(ack, form) }
}

interface LastWord extends ProvisionalFacts {
  ackType: AckType
  /** For DERMS the value of each record, for DACS the error code of the fault. */
  value: string
  /** A sentence for DACS. */
  detail: string
}

/** The answer about a message that ended without a result of its own. */
export function lastWordReply(flow: InboundFlowId, { ids, ackType, value, detail, form, nowISO }: LastWord): WireReply {
  if (flowSpec(flow).replyShape === 'externalId')
    return { status: 500, body: oicFault({ status: 500, detail, instance: flow, errorCode: value }) }
  const responses = ids.map((id) => wholeMessageResponse(flow, { id, value, code: ackType, nowISO }))
  return { status: 200, body: renderMsgAck({ ackType, whenISO: nowISO, responses }, form) }
}

/** The answer about one record when all records of the message share one fate. */
const wholeMessageResponse = (
  flow: InboundFlowId,
  { id, value, code, nowISO }: { id: string; value: string; code: AckType; nowISO: string },
) => ({
  ...(flow === 'device-status-ack' ? { dacsMessageId: id } : { id }),
  value,
  responseCode: code,
  responseTimeISO: nowISO,
})

/**
 * What the sender calls the records of a message: the `messageId` of each enrollment, else the one id of the message. A
 * message or record without an id has an empty one, so that every record is answered.
 */
export function ownIds(flow: InboundFlowId, body: unknown): string[] {
  const records = flow === 'enrollment-request' ? (valueAt(body, 'params') ?? []) : body
  const ids = (Array.isArray(records) ? records : [records]).map(
    (record) => textOf(valueAt(record, 'messageId')) ?? textOf(valueAt(record, 'dacsMessageId')) ?? '',
  )
  return ids.length === 0 ? [''] : ids
}
