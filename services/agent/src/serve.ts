import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { carry, linkSettings, watchLink } from '@tieline/runtime/agent-link'
import type { Logger } from '@tieline/runtime/logger'
import { openSocket } from '@tieline/targets/sftp-socket'

interface ServeOptions {
  readonly allow: ReadonlySet<string>
  readonly logger: Pick<Logger, 'warn'>
}

const connectMs = 10_000

/** Serves the gateway over a connection that was dialled: carries connections to the hosts on the list, and refuses others. */
export function serve(socket: Duplex, options: ServeOptions): ServerHttp2Session {
  const session = performServerHandshake(socket, { settings: linkSettings })
  session.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    void answer(stream, String(headers[':authority'] ?? ''), options)
  })
  // Its end is what is waited for; why it ended is told by the next attempt to dial.
  session.on('error', () => undefined)
  watchLink(session)
  return session
}

async function answer(stream: ServerHttp2Stream, target: string, { allow, logger }: ServeOptions): Promise<void> {
  if (!allow.has(target.toLowerCase())) {
    logger.warn({ target }, `Refused a connection to ${target}: TIELINE_AGENT_ALLOW does not list it`)
    return refuse(stream, 403)
  }
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(target) ?? []
  try {
    const bare = host.replace(/^\[|\]$/g, '')
    const socket = await openSocket({ host: bare, port: Number(port), proxy: '', timeoutMs: connectMs })
    socket.on('error', () => undefined)
    if (stream.destroyed) return void socket.destroy()
    stream.respond({ ':status': 200 })
    carry(socket, stream)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    logger.warn({ target }, `No connection to ${target}: ${message}`)
    refuse(stream, message.includes('timeout') ? 504 : 502)
  }
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed) return
  stream.respond({ ':status': status }, { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}
