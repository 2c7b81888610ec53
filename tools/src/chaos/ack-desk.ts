import { setTimeout as delay } from 'node:timers/promises'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { type AckType, readMsgAck } from '@tieline/contracts/msg-ack'
import type { DermsSimulator } from '@tieline/simulators/derms'
import type { Sent } from './history.ts'

export const ackOperations = {
  'event-reservation': 'eventReservationAck',
  'event-outcome': 'deviceOutcomeAck',
} as const

const lookEveryMs = 50

/** What DERMS hears by call-back about the files that it sent. */
export function createAckDesk(derms: Pick<DermsSimulator, 'received' | 'sendFile'>) {
  const expected = new Set<string>()
  const heard = new Map<string, { readonly at: number; readonly ackType: AckType }[]>()
  let looked = 0

  const look = () => {
    for (; looked < derms.received.length; looked++) {
      const call = derms.received[looked]
      const ack = call?.applied ? readMsgAck(call.body) : undefined
      if (call === undefined || ack === undefined) continue
      const id = `${call.operation} ${ack.responses[0]?.id}`
      heard.set(id, [...(heard.get(id) ?? []), { at: call.at, ackType: ack.ackType }])
    }
  }

  return {
    /** DERMS takes acknowledgments of messages in its own table only. */
    expect({ flow, body }: Pick<Sent, 'flow' | 'body'>): void {
      if (flow !== 'event-reservation' && flow !== 'event-outcome') return
      const id = idOf(body)
      if (expected.has(id)) return
      expected.add(id)
      // It knows no ingress, so this only enters the message.
      void derms.sendFile(flow, body, { name: 'devices.csv', content: '' })
    },
    /** The first acknowledgment since the request began. */
    async next({ flow, body, at }: Sent, withinMs: number, stopped = () => false): Promise<AckType | undefined> {
      if (flow !== 'event-reservation' && flow !== 'event-outcome') return undefined
      const id = `${ackOperations[flow]} ${idOf(body)}`
      for (const end = Date.now() + withinMs; Date.now() < end && !stopped(); await delay(lookEveryMs)) {
        look()
        const found = heard.get(id)?.find((one) => one.at >= at)
        if (found) return found.ackType
      }
      return undefined
    },
  }
}

const idOf = (body: unknown) => textOf(valueAt(body, 'messageId')) ?? ''
