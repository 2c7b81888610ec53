import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { flowSpec } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import { credentials } from '@tieline/testkit/installation'
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
  /** No caller repeats any more. */
  calm(): void
}

const patienceMs = 20_000

/** DERMS and DACS as callers: they post, repeat, change their minds and hang up, and remember what they were told. */
export function createCallers(ingressUrl: string): Callers {
  const sent: Sent[] = []
  let calm = false

  const send: Callers['send'] = async ({ flow, body: bodyOf }, version, withinMs = patienceMs) => {
    const { caller, paths } = flowSpec(flow)
    const client = caller === 'DACS' ? credentials.dacs : credentials.derms
    const body = bodyOf(version)
    const hash = createHash('sha256').update(canonicalJson(body)).digest('hex')
    const { key } = identify(flow, body, client.username, hash)
    const request: Sent = { flow, key, body, version: hash.slice(0, 8), at: Date.now() }
    sent.push(request)
    try {
      const response = await fetch(`${ingressUrl}${paths[0]}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from(`${client.username}:${client.password}`).toString('base64')}`,
        },
        body: JSON.stringify(body),
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

  return {
    sent,
    send,
    calm: () => {
      calm = true
    },
    async act({ message, version, repeatAfterMs, hangUpAfterMs }) {
      let last = await send(message, version, hangUpAfterMs)
      for (const pauseMs of repeatAfterMs) {
        if (knowsResult(last)) return
        await delay(pauseMs)
        if (calm) return
        last = await send(message, version)
      }
    },
  }
}

/** A FAILURE, a fault or no answer is a reason to send again, as it is for the real callers. */
function knowsResult(request: Sent): boolean {
  const told = toldBy(request)
  return told === 'accepted' || told === 'superseded' || (isTerminal(told) && told !== 'FAILURE' && told !== 'FAULT')
}
