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

/** Where the list of responses may stand. */
export const msgAckListPlaces = ['responses.response', 'responses', 'response'] as const

/** How DERMS writes and reads acknowledgments, which is published nowhere; a part of an installation's `compat`. */
export interface MsgAckForm {
  readonly msgAckWrapper: boolean
  readonly msgAckResponses: (typeof msgAckListPlaces)[number]
  readonly msgAckNames: { readonly id: string; readonly value: string; readonly responseCode: string }
}

/** The form that follows the element paths of the guide. */
export const usualMsgAckForm: MsgAckForm = {
  msgAckWrapper: true,
  msgAckResponses: 'responses.response',
  msgAckNames: { id: 'id', value: 'value', responseCode: 'responseCode' },
}

/** The acknowledgment as JSON. */
export function renderMsgAck(ack: MsgAck, { msgAckWrapper, msgAckResponses, msgAckNames }: MsgAckForm): unknown {
  const responses = ack.responses.map((response) => renderResponse(response, msgAckNames))
  const body = {
    ackType: ack.ackType,
    whenISO: ack.whenISO,
    ...(msgAckResponses === 'responses.response' && { responses: { response: responses } }),
    ...(msgAckResponses === 'responses' && { responses }),
    ...(msgAckResponses === 'response' && { response: responses }),
  }
  return msgAckWrapper ? { MsgAck: body } : body
}

const renderResponse = (
  { id, value, responseCode, responseTimeISO, dacsMessageId }: MsgAckResponse,
  names: MsgAckForm['msgAckNames'],
) => ({
  ...(id !== undefined && { [names.id]: id }),
  ...(value !== undefined && { [names.value]: value }),
  [names.responseCode]: responseCode,
  responseTimeISO,
  ...(dacsMessageId !== undefined && { dacsMessageId }),
})

/**
 * Reads an acknowledgment with or without its wrapper, its responses in any of their places, as a list or as one object. A response without a code of its own has that of the whole message; missing times are empty. Undefined when
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
    responses: responsesIn(ack).map((response) => readResponse(response, ackType)),
  }
}

/** The parts that `readMsgAck` reads, with all that stands in them: what is in here and not there is left out. */
export function msgAckParts(body: unknown): unknown {
  const ack = unwrapped(body, 'MsgAck')
  if (!isJsonObject(ack)) return body
  const { response: _, ...parts } = ack
  return { ...parts, responses: responsesIn(ack) }
}

function responsesIn(ack: unknown): unknown[] {
  const responses = valueAt(ack, 'responses') ?? valueAt(ack, 'response')
  const list = isJsonObject(responses) && Object.hasOwn(responses, 'response') ? responses.response : responses
  if (Array.isArray(list)) return list
  return isJsonObject(list) && Object.keys(list).length > 0 ? [list] : []
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
