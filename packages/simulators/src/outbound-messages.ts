import { EventEmitter, once } from 'node:events'
import type { InboundFlowId } from '@tieline/contracts/flows'
import { msgAck } from './derms-messages.ts'
import { callIngress, type IngressAddress, type IngressAnswer } from './ingress-caller.ts'
import type { Timers } from './timers.ts'

export type DermsFlow = Exclude<InboundFlowId, 'enrollment-sync' | 'device-status-check'>

/** One row of `drms_outbound_messages`. */
export interface OutboundMessage {
  readonly id: number
  readonly flow: DermsFlow
  readonly body: unknown
  /** `FAIL` is the table's word for an acknowledgment FAILURE, for none, and for any error of transport. */
  status: 'SENDING' | 'SUCCESS' | 'ERROR' | 'FAIL'
  numRetries: number
  /** Neither being sent nor going to be. */
  done: boolean
  readonly answers: IngressAnswer[]
}

export interface OutboundMessagesOptions {
  readonly ingress: IngressAddress | undefined
  readonly maxRetries: number
  readonly retryIntervalMs: number
  readonly timeoutMs: number
  readonly wrapped: boolean
  readonly timers: Timers
}

/**
 * The retry engine of DERMS (wire contracts 6): a row in FAIL is sent again, byte for byte, while `numRetries` is below
 * MAX_RETRIES; SUCCESS and ERROR end it.
 */
export function createOutboundMessages(options: OutboundMessagesOptions) {
  const rows: OutboundMessage[] = []
  const texts = new WeakMap<OutboundMessage, string>()
  const changes = new EventEmitter().setMaxListeners(0)
  const readAck = msgAck(options.wrapped)
  let address = options.ingress

  const judge = ({ flow }: OutboundMessage, { status, body }: IngressAnswer): OutboundMessage['status'] => {
    // The acknowledgment of a sync is taken without a body: its result is nobody's reply.
    if (flow === 'enrollment-sync-ack') return status === 202 || status === 200 ? 'SUCCESS' : 'FAIL'
    const ack = status === 200 ? readAck.safeParse(body).data : undefined
    return ack === undefined || ack.ackType === 'FAILURE' ? 'FAIL' : ack.ackType
  }

  const deliver = async (row: OutboundMessage): Promise<OutboundMessage> => {
    row.status = 'SENDING'
    row.done = false
    const answer = await callIngress(address, row.flow, texts.get(row) ?? '', options.timeoutMs)
    row.answers.push(answer)
    row.status = judge(row, answer)
    row.done = row.status !== 'FAIL' || row.numRetries >= options.maxRetries
    if (row.done) changes.emit('done')
    else if (rows.includes(row)) options.timers.after(options.retryIntervalMs, () => retry(row))
    return row
  }

  const retry = (row: OutboundMessage) => {
    row.numRetries += 1
    void deliver(row)
  }

  const find = (id: number): OutboundMessage => {
    const row = rows.find((candidate) => candidate.id === id)
    if (row === undefined) throw new RangeError(`No outbound message ${id}`)
    return row
  }

  return {
    rows,
    pointAt: (next: IngressAddress) => {
      address = next
    },
    send(flow: DermsFlow, body: unknown): Promise<OutboundMessage> {
      const text = JSON.stringify(body)
      const row: OutboundMessage = {
        id: rows.length + 1,
        flow,
        body: JSON.parse(text),
        status: 'SENDING',
        numRetries: 0,
        done: false,
        answers: [],
      }
      texts.set(row, text)
      rows.push(row)
      return deliver(row)
    },
    /** What an operator does to the table: status FAIL, `num_retries` 0. */
    async resend(id: number): Promise<OutboundMessage> {
      const row = find(id)
      row.numRetries = 0
      return deliver(row)
    },
    async whenDone(id: number): Promise<OutboundMessage> {
      const row = find(id)
      while (!row.done) await once(changes, 'done')
      return row
    },
    reset: () => {
      rows.length = 0
    },
  }
}
