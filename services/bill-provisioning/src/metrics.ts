import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface BillMetrics {
  /** A request was answered. */
  answered(request: { operation: string; status: number | 'broken' }): void
  /** So many bytes of a bill were sent, `firstByteMs` after the request and until `ms` after it; `code` says why not all. */
  downloaded(download: Download): void
}

export interface Download {
  readonly bytes: number
  readonly firstByteMs: number | undefined
  readonly ms: number
  readonly code: string | undefined
}

/** @param inFlight downloads that have begun and not ended */
export function createBillMetrics(register: Registry, inFlight: () => number): BillMetrics {
  const registers = [register]
  const requests = new Counter({
    name: 'tieline_bills_requests_total',
    help: 'Requests by operation and HTTP status. Status broken: the caller did not get a whole answer.',
    labelNames: ['operation', 'status'],
    registers,
  })
  const failures = new Counter({
    name: 'tieline_bills_failures_total',
    help: 'Downloads that failed, by code; the codes of the source are those of docs/failures.md.',
    labelNames: ['code'],
    registers,
  })
  const firstByteSeconds = new Histogram({
    name: 'tieline_bills_first_byte_seconds',
    help: 'Time from a request to the first byte of its bill.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 10, 15],
    registers,
  })
  const downloadSeconds = new Histogram({
    name: 'tieline_bills_download_seconds',
    help: 'Time from a request for a bill to the end of its answer.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 65],
    registers,
  })
  const sentBytes = new Counter({
    name: 'tieline_bills_bytes_total',
    help: 'Bytes of bills that were sent.',
    registers,
  })
  new Gauge({
    name: 'tieline_bills_in_flight',
    help: 'Downloads that have begun and not ended, those that wait for their turn included.',
    registers,
    collect() {
      this.set(inFlight())
    },
  })
  return {
    answered: ({ operation, status }) => requests.inc({ operation, status }),
    downloaded({ bytes, firstByteMs, ms, code }) {
      sentBytes.inc(bytes)
      if (firstByteMs !== undefined) firstByteSeconds.observe(firstByteMs / 1_000)
      downloadSeconds.observe(ms / 1_000)
      if (code !== undefined) failures.inc({ code })
    },
  }
}
