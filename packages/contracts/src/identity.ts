import { createHash } from 'node:crypto'
import { type FlowId, flowSpec, type InboundFlowId } from './flows.ts'
import { textOf, valueAt } from './json-object.ts'
import { readMsgAck } from './msg-ack.ts'

/** How a message is known: what makes a repeat of it a repeat, what it waits behind, what it is found by. */
export interface Identity {
  /** `<flow>.<instance>.<id>`, each part percent-encoded. */
  readonly key: string
  readonly instance: string
  readonly id: string
  /** Its sender gave it no id: it is known by its content. */
  readonly unnamed?: true
  /** Messages with the same line run one after another. */
  readonly line?: string
  /** The line of another flow, see `FlowSpec.follows`. */
  readonly follows?: string
  readonly terms: string[]
  /** Routing key of DACS' messages. */
  readonly division?: string
  /** The messages that this one acknowledges. */
  readonly answers?: { readonly flow: InboundFlowId; readonly terms: string[] }
}

interface Facts {
  /** Missing when the message has no id: then its payload hash is its id, so that only an exact repeat is a repeat. */
  id: string | undefined
  line?: string | undefined
  follows?: string | undefined
  terms: readonly (string | undefined)[]
  division?: string | undefined
  answers?: Identity['answers'] | undefined
}

/**
 * Longer ids and instances are replaced by their hash, so that no sender decides the size of keys. Longer terms and divisions
 * are left out: no contract allows them.
 */
const partLengthMax = 120

/** Search terms of one message; a message with more can still be found by its first ones. */
const termsMax = 2000

/**
 * Names a message. It reads the body as received, before any contract, so it takes whatever comes and never throws.
 * @param client name of the authenticated client: the instance of messages that carry none
 * @param payloadHash SHA-256 of the canonical JSON, hex
 */
export function identify(flow: InboundFlowId, body: unknown, client: string, payloadHash: string): Identity {
  const facts = readers[flow](body)
  const instance = bounded(textOf(valueAt(body, 'drmsInstanceId')) ?? client)
  const id = bounded(facts.id ?? payloadHash)
  const { division, answers, follows } = facts
  const line = flowSpec(flow).line === null ? undefined : facts.line
  const lineOf = (value: string) => [instance, bounded(value)].map(encoded).join('.')
  return {
    key: messageKey(flow, instance, id),
    instance,
    id,
    ...(facts.id === undefined && { unnamed: true }),
    ...(line !== undefined && { line: lineOf(line) }),
    ...(follows !== undefined && { follows: lineOf(follows) }),
    terms: searchTerms(facts.terms),
    ...(division !== undefined && division.length <= partLengthMax && { division }),
    ...(answers !== undefined && { answers: { flow: answers.flow, terms: searchTerms(answers.terms) } }),
  }
}

/** `<flow>.<instance>.<id>`, each part percent-encoded. */
export const messageKey = (flow: FlowId, instance: string, id: string): string =>
  [flow, instance, id].map(encoded).join('.')

const readers: Record<InboundFlowId, (body: unknown) => Facts> = {
  'enrollment-request': (body) => {
    const records = listAt(body, 'params')
    const ids = records.map((record) => textAt(record, 'messageId'))
    const assets = records.flatMap((record) => listAt(record, 'assetInfo', 'assetList'))
    return { id: hashOfIds(ids), terms: [...ids, ...assets.map((asset) => textAt(asset, 'nicId'))] }
  },
  'enrollment-sync': (body) => {
    const id = textAt(body, 'sendDetails', 'syncRequestId')
    const line = textAt(body, 'sendDetails', 'subscriptionInfo', 'subscriptionId')
    const devices = listAt(body, 'sendDetails', 'locationInfo', 'controllableDevices')
    const division = textAt(body, 'sendDetails', 'locationInfo', 'division')
    return { id, line, terms: [id, line, ...devices.map((device) => textAt(device, 'nicId'))], division }
  },
  'enrollment-sync-ack': (body) => {
    const ids = (readMsgAck(body)?.responses ?? []).flatMap((response) => response.dacsMessageId ?? [])
    const id = new Set(ids).size === 1 ? ids[0] : hashOfIds(ids)
    return { id, terms: ids, answers: { flow: 'enrollment-sync', terms: ids } }
  },
  'device-status-check': (body) => {
    const id = textAt(body, 'sendDetails', 'communicationId')
    const device = valueAt(body, 'sendDetails', 'deviceInfo')
    return { id, terms: [id, textAt(device, 'nicid')], division: textAt(device, 'division') }
  },
  'device-status-ack': (body) => {
    const id = textAt(body, 'dacsMessageId')
    return { id, terms: [id], answers: id === undefined ? undefined : { flow: 'device-status-check', terms: [id] } }
  },
  'event-reservation': (body) => {
    const id = textAt(body, 'messageId')
    const stage = textAt(body, 'stageId')
    return { id, follows: stage, terms: [id, textAt(body, 'eventId'), stage] }
  },
  'stage-status': (body) => {
    const id = textAt(body, 'messageId')
    const line = textAt(body, 'stageId')
    return { id, line, terms: [id, textAt(body, 'eventId'), line] }
  },
  'event-outcome': (body) => {
    const id = textAt(body, 'messageId')
    return { id, terms: [id, ...listAt(body, 'eventIds').map(textOf)] }
  },
}

const textAt = (body: unknown, ...path: string[]): string | undefined => textOf(valueAt(body, ...path))

/** One value where a list is wanted is a list of one, as for `createReading`. */
function listAt(body: unknown, ...path: string[]): unknown[] {
  const list = valueAt(body, ...path) ?? []
  return Array.isArray(list) ? list : [list]
}

/** The same records in another order are the same message; none at all are no id. */
function hashOfIds(ids: readonly (string | undefined)[]): string | undefined {
  const known = [...new Set(ids.filter((id) => id !== undefined))].sort()
  return known.length === 0 ? undefined : hash(JSON.stringify(known))
}

function searchTerms(terms: readonly (string | undefined)[]): string[] {
  const usable = terms.filter((term) => term !== undefined).filter((term) => term.length <= partLengthMax)
  return [...new Set(usable.map((term) => term.toWellFormed()))].slice(0, termsMax)
}

/** Lone surrogates are no text: Redis' scripts would refuse the whole message for one. */
const bounded = (part: string): string => {
  const text = part.toWellFormed()
  return text.length <= partLengthMax ? text : hash(text)
}

/** 128 bits: enough that two messages never meet, short enough for a key. */
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

const encoded = (part: string): string =>
  part
    .toWellFormed()
    .replace(/[^A-Za-z0-9_-]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    )
