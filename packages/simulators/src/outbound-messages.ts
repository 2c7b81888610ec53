import { EventEmitter, once } from 'node:events'
import type { FileFlowId, InboundFlowId } from '@tieline/contracts/flows'
import { type Ack, msgAck } from './derms-messages.ts'
import { callIngress, type IngressAddress, type IngressAnswer, renderJson } from './ingress-caller.ts'
import { type AttachedFile, type RenderedBody, renderMultipart } from './multipart.ts'
import type { Timers } from './timers.ts'

export type DermsFlow = Exclude<InboundFlowId, FileFlowId | 'enrollment-sync' | 'device-status-check'>

/** One row of `drms_outbound_messages`. */
export interface OutboundMessage {
  readonly id: number
  readonly flow: DermsFlow | FileFlowId
  readonly body: unknown
  /** Name of the file that goes with it. */
  readonly file?: string
  /**
   * `FAIL` is the table's word for an acknowledgment FAILURE, for none, and for any error of transport. A file is `WAITING` for
   * its acknowledgment once it is accepted.
   */
  status: 'SENDING' | 'WAITING' | 'SUCCESS' | 'ERROR' | 'FAIL'
  numRetries: number
  /** Neither being sent, nor waiting, nor going to be sent. */
  done: boolean
  readonly answers: IngressAnswer[]
  /** Acknowledgments that came by call-back, in order of arrival. */
  readonly acks: Ack[]
}

export interface OutboundMessagesOptions {
  readonly ingress: IngressAddress | undefined
  readonly maxRetries: number
  readonly retryIntervalMs: number
  readonly timeoutMs: number
  /** How long an accepted file waits for its acknowledgment. */
  readonly ackTimeoutMs: number
  readonly wrapped: boolean
  readonly timers: Timers
}

/**
 * The retry engine of DERMS (docs/wire-facts.md, Parameters of DERMS): a row in FAIL is sent again, byte for byte,
 * while `numRetries` is below MAX_RETRIES; SUCCESS and ERROR end it.
 */
export function createOutboundMessages(options: OutboundMessagesOptions) {
  const rows: OutboundMessage[] = []
  const rendered = new WeakMap<OutboundMessage, RenderedBody>()
  const changes = new EventEmitter().setMaxListeners(0)
  const readAck = msgAck(options.wrapped)
  let address = options.ingress

  const judge = ({ flow, file }: OutboundMessage, { status, body }: IngressAnswer): OutboundMessage['status'] => {
    if (file !== undefined) return status === 202 ? 'WAITING' : 'FAIL'
    // The acknowledgment of a sync is taken without a body: its result is nobody's reply.
    if (flow === 'enrollment-sync-ack') return status === 202 || status === 200 ? 'SUCCESS' : 'FAIL'
    const ack = status === 200 ? readAck.safeParse(body).data : undefined
    return ack === undefined ? 'FAIL' : statusOf(ack)
  }

  const settle = (row: OutboundMessage, status: OutboundMessage['status']) => {
    row.status = status
    row.done = status !== 'WAITING' && (status !== 'FAIL' || row.numRetries >= options.maxRetries)
    if (row.done) changes.emit('done')
    else if (status === 'FAIL' && rows.includes(row)) options.timers.after(options.retryIntervalMs, () => retry(row))
  }

  const deliver = async (row: OutboundMessage): Promise<OutboundMessage> => {
    row.status = 'SENDING'
    row.done = false
    const [body, acksBefore] = [rendered.get(row) ?? renderJson(row.body), row.acks.length]
    const answer = await callIngress(address, row.flow, body, options.timeoutMs)
    row.answers.push(answer)
    // The call-back may have been quicker than the answer to the call.
    if (row.acks.length > acksBefore) return row
    const status = judge(row, answer)
    settle(row, status)
    const sending = row.answers.length
    if (status === 'WAITING') {
      options.timers.after(options.ackTimeoutMs, () => {
        if (row.status === 'WAITING' && row.answers.length === sending) settle(row, 'FAIL')
      })
    }
    return row
  }

  const retry = (row: OutboundMessage) => {
    if (row.status !== 'FAIL') return
    row.numRetries += 1
    void deliver(row)
  }

  const add = (flow: OutboundMessage['flow'], body: unknown, file?: AttachedFile): OutboundMessage => {
    const message = file === undefined ? renderJson(body) : renderMultipart(body, file)
    const row: OutboundMessage = {
      id: rows.length + 1,
      flow,
      body: structuredClone(body),
      ...(file && { file: file.name }),
      status: 'SENDING',
      numRetries: 0,
      done: false,
      answers: [],
      acks: [],
    }
    rendered.set(row, message)
    rows.push(row)
    return row
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
    send: (flow: DermsFlow, body: unknown): Promise<OutboundMessage> => deliver(add(flow, body)),
    sendFile: (flow: FileFlowId, body: unknown, file: AttachedFile): Promise<OutboundMessage> =>
      deliver(add(flow, body, file)),
    /** Takes the acknowledgment of a file. False when no such message was ever sent. */
    acknowledge(flow: FileFlowId, ack: Ack): boolean {
      const ids = ack.responses.response.map(({ id }) => id)
      const row = rows.findLast((candidate) => candidate.flow === flow && ids.includes(messageIdOf(candidate)))
      if (row === undefined) return false
      row.acks.push(ack)
      settle(row, statusOf(ack))
      return true
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

const statusOf = ({ ackType }: Ack): OutboundMessage['status'] => (ackType === 'FAILURE' ? 'FAIL' : ackType)

function messageIdOf({ body }: OutboundMessage): string | undefined {
  if (typeof body !== 'object' || body === null || !('messageId' in body)) return undefined
  return typeof body.messageId === 'string' ? body.messageId : undefined
}
