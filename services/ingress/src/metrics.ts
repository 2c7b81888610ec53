import type { FailureCode } from '@tieline/contracts/failures'
import { inboundFlowIds } from '@tieline/contracts/flows'
import type { Acceptance } from '@tieline/journal/types'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface IngressMetrics {
  /** A message is kept. */
  accepted(message: { flow: string; kind: Acceptance['kind'] }): void
  /** A request was answered. Unknown flows and clients count as `none`. `code`: it was refused. */
  answered(request: Answered): void
}

interface Answered {
  readonly flow?: string | undefined
  readonly client?: string | undefined
  readonly status: number
  readonly seconds: number
  readonly code?: FailureCode | undefined
}

/** Refusals that are nobody's mistake: the sender shall come again. */
const passing = ['store-unavailable', 'overloaded'] as const satisfies readonly FailureCode[]

/** Refusals that lie with the client, or with what is configured of it. */
const mistakes = [
  'contract-violation',
  'malformed-body',
  'not-allowed',
  'routing-missing',
  'too-large',
  'unsupported-media-type',
] as const satisfies readonly FailureCode[]

/**
 * @param accepting whether a message would be taken now
 * @param clients their names
 */
export function createIngressMetrics(
  register: Registry,
  accepting: () => boolean,
  clients: readonly string[],
): IngressMetrics {
  const acceptances = new Counter({
    name: 'tieline_messages_accepted_total',
    help: 'Messages that the ingress accepted, by flow and kind: new, again (settled before), changed (other content), attached (still open), replayed (stored reply).',
    labelNames: ['flow', 'kind'],
    registers: [register],
  })
  const refusals = new Counter({
    name: 'tieline_ingress_refusals_total',
    help: 'Requests that were refused at the door, by flow, client and problem code.',
    labelNames: ['flow', 'client', 'code'],
    registers: [register],
  })
  // From 0, so that the first refusal is an increase.
  for (const flow of inboundFlowIds) {
    for (const client of clients) for (const code of [...passing, ...mistakes]) refusals.inc({ flow, client, code }, 0)
  }
  new Gauge({
    name: 'tieline_ingress_accepting',
    help: '1: messages are taken, 0: they are refused with 503 because Redis is away or nearly full, or the ingress stops.',
    registers: [register],
    collect() {
      this.set(accepting() ? 1 : 0)
    },
  })
  const requests = new Counter({
    name: 'tieline_ingress_requests_total',
    help: 'Requests by flow, client and HTTP status.',
    labelNames: ['flow', 'client', 'status'],
    registers: [register],
  })
  const replySeconds = new Histogram({
    name: 'tieline_ingress_reply_seconds',
    help: 'Time from a request to its answer, waiting for the result included.',
    labelNames: ['flow'],
    // The longest reply of an awaited flow is 240 s.
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 240],
    registers: [register],
  })
  return {
    accepted: (message) => acceptances.inc(message),
    answered({ flow = 'none', client = 'none', status, seconds, code }) {
      if (code !== undefined) refusals.inc({ flow, client, code })
      requests.inc({ flow, client, status })
      replySeconds.observe({ flow }, seconds)
    },
  }
}
