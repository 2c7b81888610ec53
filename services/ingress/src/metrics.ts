import { Counter, Histogram, type Registry } from 'prom-client'

export interface IngressMetrics {
  /** A request was answered. Unknown flows and clients count as `none`. */
  answered(request: { flow?: string | undefined; client?: string | undefined; status: number; seconds: number }): void
}

export function createIngressMetrics(register: Registry): IngressMetrics {
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
    answered({ flow = 'none', client = 'none', status, seconds }) {
      requests.inc({ flow, client, status })
      replySeconds.observe({ flow }, seconds)
    },
  }
}
