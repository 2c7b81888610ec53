import { Agent, request } from 'node:http'
import { median } from './measurement.ts'

export interface Load {
  readonly url: string
  readonly authorization: string
  readonly connections: number
  readonly requests: number
  /** Body of the nth request. */
  readonly body: (n: number) => string
  readonly expectedStatus: number
}

export interface LoadResult {
  readonly perSecond: number
  /** Median time from a request to the end of its answer. */
  readonly p50Ms: number
}

/** Posts a bounded number of requests over a fixed number of connections. */
export async function measureLoad({
  url,
  authorization,
  connections,
  requests,
  body,
  expectedStatus,
}: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let next = 0
  const times: number[] = []
  const post = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const call = request(
        url,
        { method: 'POST', agent, headers: { 'content-type': 'application/json', authorization } },
        (response) => {
          response.resume()
          response.on('end', () =>
            response.statusCode === expectedStatus ? resolve() : reject(new Error(`Answered ${response.statusCode}`)),
          )
        },
      )
      call.on('error', reject)
      call.end(body(n))
    })
  const sendInTurn = async () => {
    while (next < requests) {
      const sentAt = performance.now()
      await post(next++)
      times.push(performance.now() - sentAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, sendInTurn))
  const seconds = (performance.now() - startedAt) / 1_000
  agent.destroy()
  return { perSecond: requests / seconds, p50Ms: median(times) }
}
