import { flowSpec } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import type { Sent } from './history.ts'

/**
 * What an answer means to its caller. `accepted`: 202; `provisional`: come again for the result; `without-result`: it ended
 * and nobody knows how; `nothing`: no answer, or one that promises nothing, such as 503 or 400.
 */
export type Told =
  | 'SUCCESS'
  | 'ERROR'
  | 'FAILURE'
  | 'FAULT'
  | 'superseded'
  | 'provisional'
  | 'accepted'
  | 'without-result'
  | 'nothing'

const words: Readonly<Record<string, Told>> = {
  IN_PROGRESS: 'provisional',
  SUPERSEDED: 'superseded',
  NO_RESULT: 'without-result',
}

export function toldBy({ flow, status, reply }: Sent): Told {
  if (status === 202) return 'accepted'
  if (flowSpec(flow).replyShape === 'externalId') {
    if (status === 200) return 'SUCCESS'
    const details = valueAt(reply, 'o:errorDetails')
    const [first] = Array.isArray(details) ? details : []
    const word = words[textOf(valueAt(first, 'o:errorCode')) ?? '']
    if (word !== undefined) return word
    return status === 500 && textOf(valueAt(first, 'o:errorCode')) !== 'internal' ? 'FAULT' : 'nothing'
  }
  const ack = status === 200 ? readMsgAck(reply) : undefined
  if (ack === undefined) return 'nothing'
  return words[ack.responses[0]?.value ?? ''] ?? ack.ackType
}

const terminal: ReadonlySet<Told> = new Set(['SUCCESS', 'ERROR', 'FAILURE', 'FAULT', 'without-result'])

/** It tells how a generation ended. */
export const isTerminal = (told: Told): boolean => terminal.has(told)

/** A reply as text without its times: equal for equal results. */
export const withoutTimes = (reply: unknown): string =>
  JSON.stringify(reply, (name, value: unknown) =>
    name === 'whenISO' || name === 'responseTimeISO' ? undefined : value,
  ) ?? ''
