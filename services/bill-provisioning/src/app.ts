import { randomUUID } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { WebApp } from '@tieline/runtime/http-listener'
import type { Deliver, Delivered } from './delivery.ts'
import { findPlace, type Place } from './place.ts'
import type { Report } from './report.ts'

interface Deps {
  readonly deliver: Deliver
  /** Whether callers may count on bills. */
  readonly healthy: () => Promise<boolean>
  /** By the Authorization header. */
  readonly authorize: (authorization: string | undefined) => boolean
  /** Whether callers shall go elsewhere from now on. */
  readonly draining: () => boolean
  readonly report: Report
}

/** An answer without a body, unless `delivered` says that a bill was sent. */
interface Answer {
  readonly status: number
  readonly headers?: OutgoingHttpHeaders
  readonly delivered?: Delivered
}

/**
 * The Bill Provisioning API. It writes its answers itself, because a bill that could not be sent to its end must not look like
 * one that was.
 */
export function createApp({ deliver, healthy, authorize, draining, report }: Deps): WebApp {
  return {
    async fetch(_request, { incoming, outgoing }) {
      const startedMs = performance.now()
      const requestId = randomUUID()
      const headers = {
        'x-request-id': requestId,
        'cache-control': 'no-store',
        ...(draining() && { connection: 'close' }),
      }
      // Of a caller who is gone; `close` tells it as well.
      outgoing.on('error', () => undefined)
      const place = findPlace(incoming.url ?? '')
      const answer = await answerOf(place, incoming, outgoing, headers)
      if (!outgoing.headersSent) outgoing.writeHead(answer.status, { ...headers, ...answer.headers, ...empty }).end()
      const { status, delivered } = answer
      report({ requestId, operation: place?.operation, status, ...delivered, ms: performance.now() - startedMs })
      return RESPONSE_ALREADY_SENT
    },
  }

  async function answerOf(
    place: Place | undefined,
    { method, headers: { authorization } }: IncomingMessage,
    outgoing: ServerResponse,
    headers: OutgoingHttpHeaders,
  ): Promise<Answer> {
    if (place === undefined) return { status: 404 }
    if (method !== 'GET') return { status: 405, headers: { allow: 'GET' } }
    if (place.operation === 'healthcheck') return { status: (await healthy()) ? 200 : 503 }
    if (!authorize(authorization)) return { status: 401, headers: challenge }
    if (place.billId === undefined) return { status: 404 }
    const delivered = await deliver(place.billId, outgoing, headers)
    return { status: delivered.status, delivered }
  }
}

const empty = { 'content-length': 0 } as const

const challenge = { 'www-authenticate': 'Basic realm="tieline", charset="UTF-8"' } as const
