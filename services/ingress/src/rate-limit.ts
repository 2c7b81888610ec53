import type { Client } from '@tieline/runtime/installation'
import { Refusal } from './problems.ts'

const periodMs = 60_000

interface Period {
  readonly endsAt: number
  requests: number
}

/**
 * Counts the requests of each client by the minute. Clients without `requestsPerMinute` have no limit.
 * The returned function throws a Refusal 429 when the minute's requests of the client are used up.
 * @param clock milliseconds since 1970
 */
export function createRateLimit(clock: () => number = Date.now): (client: Client) => void {
  const periods = new Map<string, Period>()
  return ({ name, requestsPerMinute }) => {
    if (requestsPerMinute === undefined) return
    const now = clock()
    let period = periods.get(name)
    if (period === undefined || period.endsAt <= now) {
      period = { endsAt: now + periodMs, requests: 0 }
      periods.set(name, period)
    }
    period.requests += 1
    if (period.requests <= requestsPerMinute) return
    const headers = { 'retry-after': String(Math.ceil((period.endsAt - now) / 1_000)) }
    throw new Refusal(429, 'too-many-requests', 'The client has sent as many requests as it may in a minute', {
      headers,
    })
  }
}
