import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect, type Socket } from 'node:net'
import { classifyBreak } from './classify.ts'
import { SourceFailure } from './source-failure.ts'
import { createTimeLimit } from './time-limit.ts'

export interface SocketOptions {
  readonly host: string
  readonly port: number
  /** URL of an HTTP proxy; empty: none. */
  readonly proxy: string
  readonly timeoutMs: number
}

/** A TCP connection, through a tunnel of the proxy if there is one. @throws SourceFailure `target-unreachable` */
export async function openSocket(options: SocketOptions): Promise<Socket> {
  using limit = createTimeLimit(options.timeoutMs)
  try {
    const socket = await (options.proxy === '' ? openDirectly : openTunnel)(options, limit.signal)
    // A file is read by asking for piece after piece. Without this, each question waits for the one before it: 1 MiB/s.
    return socket.setNoDelay(true)
  } catch (error) {
    if (limit.signal.aborted) throw unreachable('timeout')
    throw error instanceof Error && 'code' in error ? unreachable(String(error.code)) : error
  }
}

async function openDirectly({ host, port }: SocketOptions, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal })
  await once(socket, 'connect')
  return socket
}

function openTunnel({ host, port, proxy }: SocketOptions, signal: AbortSignal): Promise<Socket> {
  const url = new URL(proxy)
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    method: 'CONNECT',
    path: target,
    headers: {
      host: target,
      ...(user !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
    agent: false,
    signal,
  })
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('connect', (response, socket: Socket, head) => {
      if (response.statusCode === 200) {
        // An SSH server speaks first: its greeting may have come along with the answer of the proxy.
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      } else {
        socket.destroy()
        reject(unreachable(`proxy answered ${response.statusCode}`))
      }
    })
    request.end()
  })
}

const unreachable = (errorCode: string): SourceFailure =>
  new SourceFailure(classifyBreak({ kind: 'broken', reason: 'network', sent: false, errorCode }))
