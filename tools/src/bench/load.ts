import { Agent, request } from 'node:http'

export interface Load {
  readonly url: string
  readonly authorization: string
  readonly connections: number
  readonly requests: number
  /** Body of the nth request. */
  readonly body: (n: number) => string
  readonly expectedStatus: number
}

/** Posts a bounded number of requests over a fixed number of connections; answers with requests per second. */
export async function measureLoad({
  url,
  authorization,
  connections,
  requests,
  body,
  expectedStatus,
}: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let next = 0
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
    while (next < requests) await post(next++)
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, sendInTurn))
  const seconds = (performance.now() - startedAt) / 1_000
  agent.destroy()
  return requests / seconds
}
