import { z } from 'zod'
import type { createCommunications } from './dacs-communications.ts'
import type { createSyncRequests } from './dacs-sync-requests.ts'
import { callIngress, type IngressAddress, type IngressAnswer, renderJson } from './ingress-caller.ts'

export type DacsFlow = 'enrollment-sync' | 'device-status-check'

/** One outbound message and what was said to each of its sendings. */
export interface SentMessage {
  readonly flow: DacsFlow
  /** Sync request id or communication id; empty when the body has none. */
  readonly id: string
  readonly body: unknown
  readonly answers: IngressAnswer[]
}

export interface DacsSenderOptions {
  readonly ingress: IngressAddress | undefined
  readonly timeoutMs: number
  readonly syncRequests: ReturnType<typeof createSyncRequests>
  readonly communications: ReturnType<typeof createCommunications>
}

const enrollmentSync = z.object({ sendDetails: z.object({ syncRequestId: z.string() }) })
const deviceStatusCheck = z.object({ sendDetails: z.object({ communicationId: z.string() }) })
const reply = z.object({ responseDetails: z.object({ externalId: z.string() }) })

/** The real-time message senders of DACS: X1-NMSDASMSG (F2) and X1-CTRLDVCS (F4), one message at a time, waiting. */
export function createDacsSender({ ingress, timeoutMs, syncRequests, communications }: DacsSenderOptions) {
  const sent: SentMessage[] = []
  let address = ingress

  const deliver = async (message: SentMessage): Promise<IngressAnswer> => {
    const { flow, id } = message
    // Known before the call: the acknowledgment may overtake the reply.
    if (id !== '' && flow === 'enrollment-sync') syncRequests.register(id)
    if (id !== '' && flow === 'device-status-check') communications.register(id)
    const answer = await callIngress(address, flow, renderJson(message.body), timeoutMs)
    message.answers.push(answer)
    if (answer.status === 200 && reply.safeParse(answer.body).data?.responseDetails.externalId === id) accepted(message)
    return answer
  }

  const accepted = ({ flow, id }: SentMessage) => {
    if (flow === 'enrollment-sync') {
      syncRequests.register(id).accepted = true
      return
    }
    const communication = communications.register(id)
    if (communication.state === 'PENDING') communication.state = 'AWAITRESP'
  }

  return {
    sent,
    pointAt: (next: IngressAddress) => {
      address = next
    },
    send(flow: DacsFlow, body: unknown): Promise<IngressAnswer> {
      const message: SentMessage = { flow, id: idOf(flow, body), body: structuredClone(body), answers: [] }
      sent.push(message)
      return deliver(message)
    },
    resend(id: string): Promise<IngressAnswer> {
      const message = sent.findLast((candidate) => candidate.id === id)
      if (message === undefined) throw new RangeError(`Nothing was sent with id "${id}"`)
      return deliver(message)
    },
    reset: () => {
      sent.length = 0
    },
  }
}

const idOf = (flow: DacsFlow, body: unknown): string =>
  (flow === 'enrollment-sync'
    ? enrollmentSync.safeParse(body).data?.sendDetails.syncRequestId
    : deviceStatusCheck.safeParse(body).data?.sendDetails.communicationId) ?? ''
