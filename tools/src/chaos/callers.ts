import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { flowSpec } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import type { AckType } from '@tieline/contracts/msg-ack'
import { renderMultipart } from '@tieline/simulators/multipart'
import { credentials } from '@tieline/testkit/installation'
import { createAckDesk } from './ack-desk.ts'
import type { Message } from './bodies.ts'
import type { Sent } from './history.ts'
import type { SendStep } from './plan.ts'
import { isTerminal, toldBy } from './told.ts'

export interface Callers {
  readonly sent: readonly Sent[]
  /** Sends as the step says, until the caller knows the result or has no repeats left. */
  act(step: SendStep): Promise<void>
  /** Sends once. */
  send(message: Message, version: number, patienceMs?: number): Promise<Sent>
  /** What DERMS hears by call-back about a file; undefined when it hears nothing for long. */
  heardOf(request: Sent): Promise<AckType | undefined>
  /** No caller repeats any more. */
  calm(): void
}

const patienceMs = 20_000
/** DERMS waits so long for a call-back before it sends a file again. */
const ackPatienceMs = 15_000

/** DERMS and DACS as callers: they post, repeat, change their minds and hang up, and remember what they were told. */
export function createCallers(ingressUrl: string, derms: Parameters<typeof createAckDesk>[0]): Callers {
  const sent: Sent[] = []
  const acks = createAckDesk(derms)
  let calm = false

  const send: Callers['send'] = async (message, version, withinMs = patienceMs) => {
    const { flow } = message
    const { caller, paths } = flowSpec(flow)
    const client = caller === 'DACS' ? credentials.dacs : credentials.derms
    const body = message.body(version)
    const content = message.content?.(version)
    const hash = createHash('sha256')
      .update(`${canonicalJson(body)} ${content}`)
      .digest('hex')
    const { key } = identify(flow, body, client.username, hash)
    const request: Sent = {
      flow,
      key,
      body,
      ...(content !== undefined && { content }),
      version: hash.slice(0, 8),
      at: Date.now(),
    }
    sent.push(request)
    acks.expect(request)
    const { contentType, bytes } = render(body, content)
    try {
      const response = await fetch(`${ingressUrl}${paths[0]}`, {
        method: 'POST',
        headers: {
          'content-type': contentType,
          authorization: `Basic ${Buffer.from(`${client.username}:${client.password}`).toString('base64')}`,
        },
        body: bytes,
        signal: AbortSignal.timeout(withinMs),
      })
      const text = await response.text()
      request.answeredAt = Date.now()
      request.status = response.status
      request.reply = text === '' ? undefined : JSON.parse(text)
    } catch {
      // The caller does not know, and what it sent may still be on its way.
    }
    return request
  }

  /** A FAILURE, a fault or no answer is a reason to send again, as it is for the real callers. */
  const knowsResult = async (request: Sent): Promise<boolean> => {
    const told = toldBy(request)
    if (told === 'accepted' && request.content !== undefined) {
      const ack = await acks.next(request, ackPatienceMs, () => calm)
      return ack === 'SUCCESS' || ack === 'ERROR'
    }
    return told === 'accepted' || told === 'superseded' || (isTerminal(told) && told !== 'FAILURE' && told !== 'FAULT')
  }

  return {
    sent,
    send,
    heardOf: (request) => acks.next(request, ackPatienceMs),
    calm: () => {
      calm = true
    },
    async act({ message, version, repeatAfterMs, hangUpAfterMs }) {
      let last = await send(message, version, hangUpAfterMs)
      for (const pauseMs of repeatAfterMs) {
        if (await knowsResult(last)) return
        await delay(pauseMs)
        if (calm) return
        last = await send(message, version)
      }
    },
  }
}

const render = (body: unknown, content: string | undefined) =>
  content === undefined
    ? { contentType: 'application/json', bytes: JSON.stringify(body) }
    : renderMultipart(body, { name: 'devices.csv', content })
