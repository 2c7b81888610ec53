import { once } from 'node:events'
import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http'
import { request as requestHttps } from 'node:https'

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Whether the answer came to its end, as far as a client can tell. */
  readonly whole: boolean
}

type GetOptions = RequestOptions & { readonly ca?: string }

export const downloadPath = (id: string): string => `/dss/bill/download/${id}`
export const healthPath = '/dss/bill/healthcheck'

/** One request, its path sent as it is given. Rejects when no answer comes. */
export async function get(url: string, path: string, options: GetOptions = {}): Promise<Got> {
  return readAnswer(await begin(url, path, options))
}

/** A request whose answer has begun, and is not read yet. */
export async function begin(url: string, path: string, options: GetOptions = {}): Promise<IncomingMessage> {
  const { hostname, port, protocol } = new URL(url)
  const request = (protocol === 'https:' ? requestHttps : requestHttp)({ hostname, port, path, ...options }).end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return answer
}

export async function readAnswer(answer: IncomingMessage): Promise<Got> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk)
  } catch {
    // `complete` tells.
  }
  const { statusCode: status = 0, headers, complete: whole } = answer
  return { status, headers, body: Buffer.concat(chunks), whole }
}

export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** Keeps connections, as many as there are requests at a time. */
export function keepingAgent(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}
