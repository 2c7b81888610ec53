import { z } from 'zod'
import { isJsonObject, textOf, unwrapped, valueAt } from './json-object.ts'

/**
 * The one acknowledgment shape of DERMS. After ERROR nobody repeats the message; after FAILURE its
 * sender does.
 */
export interface MsgAck {
  ackType: AckType
  whenISO: string
  responses: MsgAckResponse[]
}

export const ackTypes = ['SUCCESS', 'ERROR', 'FAILURE'] as const
export type AckType = (typeof ackTypes)[number]

export interface MsgAckResponse {
  /** The answered record: its `messageId`. */
  id?: string
  /** Free text: the new enrollment id, or what is wrong. */
  value?: string
  /** SUCCESS, ERROR or FAILURE; for a device status the state that DACS reports. */
  responseCode: string
  responseTimeISO: string
  dacsMessageId?: string
}

/** Fields of one response as `readMsgAck` gives them. */
export const msgAckResponseFields = {
  id: z.string().exactOptional(),
  value: z.string().exactOptional(),
  responseCode: z.string(),
  responseTimeISO: z.string(),
  dacsMessageId: z.string().exactOptional(),
}

/** An acknowledgment as it is written, for descriptions of the interface; `readMsgAck` reads more forms than this one. */
export const msgAckDocument = z.object({
  MsgAck: z.object({
    ackType: z.enum(ackTypes),
    whenISO: z.string(),
    responses: z.object({ response: z.array(z.object(msgAckResponseFields)) }),
  }),
})

/** The acknowledgment as JSON. Which form DERMS reads is published nowhere, so the wrapper can be switched off. */
export function renderMsgAck(ack: MsgAck, compat: { msgAckWrapper: boolean }): unknown {
  const body = {
    ackType: ack.ackType,
    whenISO: ack.whenISO,
    responses: { response: ack.responses.map(renderResponse) },
  }
  return compat.msgAckWrapper ? { MsgAck: body } : body
}

const renderResponse = ({ id, value, responseCode, responseTimeISO, dacsMessageId }: MsgAckResponse) => ({
  ...(id !== undefined && { id }),
  ...(value !== undefined && { value }),
  responseCode,
  responseTimeISO,
  ...(dacsMessageId !== undefined && { dacsMessageId }),
})

/**
 * Reads an acknowledgment with or without its wrapper, its responses as a list under `response`, as one object there, or as
 * a plain list. A response without a code of its own has that of the whole message; missing times are empty. Undefined when
 * the body is no acknowledgment, which is when it has no `ackType` of the three.
 */
export function readMsgAck(body: unknown): MsgAck | undefined {
  const ack = unwrapped(body, 'MsgAck')
  const word = textOf(valueAt(ack, 'ackType'))?.toUpperCase()
  const ackType = ackTypes.find((known) => known === word)
  if (ackType === undefined) return undefined
  return {
    ackType,
    whenISO: textOf(valueAt(ack, 'whenISO')) ?? '',
    responses: responseList(valueAt(ack, 'responses')).map((response) => readResponse(response, ackType)),
  }
}

function responseList(responses: unknown): unknown[] {
  const list = isJsonObject(responses) ? valueAt(responses, 'response') : responses
  if (list === undefined || list === null) return []
  return Array.isArray(list) ? list : [list]
}

function readResponse(response: unknown, ackType: AckType): MsgAckResponse {
  const field = (name: string) => textOf(valueAt(response, name))
  const [id, value, dacsMessageId] = [field('id'), field('value'), field('dacsMessageId')]
  return {
    ...(id !== undefined && { id }),
    ...(value !== undefined && { value }),
    responseCode: field('responseCode') ?? ackType,
    responseTimeISO: field('responseTimeISO') ?? '',
    ...(dacsMessageId !== undefined && { dacsMessageId }),
  }
}
