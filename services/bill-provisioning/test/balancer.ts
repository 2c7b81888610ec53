import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { get, healthPath, keepingAgent } from './client.ts'

/** How often the health of an instance is asked for: the tests' 10 s. */
const everyMs = 10

/**
 * Sends each request to the next instance whose last health check was 200, over connections that it keeps, and repeats none: what
 * goes wrong with an instance, its caller sees.
 */
export async function startBalancer(urls: readonly string[]) {
  const healthy = new Set<string>()
  const agent = keepingAgent()
  let turn = 0
  const probe = async (url: string) => {
    const { status } = await get(url, healthPath).catch(() => ({ status: 0 }))
    if (status === 200) healthy.add(url)
    else healthy.delete(url)
  }
  const probing = setInterval(() => void Promise.all(urls.map(probe)), everyMs)
  await Promise.all(urls.map(probe))

  const server = createServer((incoming, outgoing) => {
    const instances = [...healthy]
    const instance = instances[turn++ % instances.length]
    if (instance === undefined) {
      outgoing.writeHead(503).end()
      return
    }
    const passed = request(instance + incoming.url, { agent, headers: incoming.headers }, (answer: IncomingMessage) => {
      const { connection: _, 'keep-alive': __, ...headers } = answer.headers
      outgoing.writeHead(answer.statusCode ?? 502, headers)
      pipeline(answer, outgoing).catch(() => outgoing.destroy())
    })
    passed.on('error', () => outgoing.destroy())
    passed.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    healthy,
    async [Symbol.asyncDispose]() {
      clearInterval(probing)
      agent.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}
