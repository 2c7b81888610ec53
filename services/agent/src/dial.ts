import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, getCACertificates } from 'node:tls'
import { linkProtocol } from '@tieline/runtime/agent-link'
import { openSocket } from '@tieline/targets/sftp-socket'
import type { AgentSettings } from './agent-settings.ts'

const timeoutMs = 15_000

/** Dials the gateway, shows name and token, and returns the connection. @throws Error that says what went wrong */
export async function dial({ url, name, token, proxy, caFile }: AgentSettings): Promise<Duplex> {
  const ca = caFile === undefined ? undefined : [...getCACertificates('default'), await readFile(caFile, 'utf8')]
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const plain = await openSocket({ host, port: Number(url.port || 443), proxy, timeoutMs })
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const isName = !/^[\d.]+$|:/.test(host)
    const socket = connect({
      socket: plain,
      host,
      ca,
      ...(isName && { servername: host }),
      ALPNProtocols: ['http/1.1'],
    })
    await once(socket, 'secureConnect', { signal })
    const asking = request(url, {
      createConnection: () => socket,
      headers: { connection: 'Upgrade', upgrade: linkProtocol },
      auth: `${name}:${token}`,
      signal,
    })
    const written = once(asking, 'finish', { signal })
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    asking.once('upgrade', (_response, upgraded, head) => {
      if (head.length > 0) upgraded.unshift(head)
      resolve(upgraded)
    })
    asking.once('response', ({ statusCode }) => reject(new Error(refusal(statusCode))))
    asking.once('error', reject).end()
    // Also the end of our own writing: an HTTP/2 session ends the process if it takes over a socket that still writes.
    const [upgraded] = await Promise.all([promise, written])
    return upgraded
  } catch (error) {
    plain.destroy()
    throw error
  }
}

const refusal = (status = 0): string =>
  status === 401
    ? 'the gateway does not know this name with this token (401)'
    : `the gateway answered ${status}; is it the address of a gateway?`
