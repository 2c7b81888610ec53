import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { linkProtocol } from '@tieline/runtime/agent-link'
import { isTokenOf } from '@tieline/runtime/agent-token'
import { parseBasic } from '@tieline/runtime/basic-pair'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import { readTlsFiles, reloadTlsFiles, type TlsFiles } from '@tieline/runtime/tls-files'
import type { AgentSessions } from './agent-sessions.ts'

interface AgentDoorOptions {
  readonly port: number
  readonly agents: Installation['agents']
  readonly gateway: NonNullable<Installation['gateway']>
  readonly sessions: AgentSessions
  readonly logger: Logger
}

export interface Door extends AsyncDisposable {
  readonly port: number
}

const tlsReloadMs = 10_000

/** Where agents dial in: each shows its name and token, and its connection becomes a session. @throws when the port is taken */
export async function openAgentDoor({ port, agents, gateway, sessions, logger }: AgentDoorOptions): Promise<Door> {
  const { behindProxy } = gateway
  const tls = gateway.tls && tlsFilesOf(gateway.tls)
  await using parts = new AsyncDisposableStack()
  const content = tls && (await readTlsFiles(tls))
  const secure = content && createHttpsServer({ ...content, ...(tls?.clientCaFile && { requestCert: true }) })
  const server = secure ?? createHttpServer()
  if (secure && tls && content) {
    parts.use(reloadTlsFiles(secure, tls, { current: content, everyMs: tlsReloadMs, logger }))
  }
  server.on('request', (_request, response) => response.writeHead(426, { upgrade: linkProtocol }).end())
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined)
    const name = request.headers.upgrade === linkProtocol ? whoIs(request, agents) : undefined
    if (name === undefined) {
      logger.warn('An agent was refused: its name, token or version is not known here')
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${linkProtocol}\r\n\r\n`
    // Only when it has been written: an HTTP/2 session ends the process if it takes over a socket that still writes.
    socket.write(answer, (error) => {
      if (!error && !socket.destroyed) sessions.add(name, socket)
    })
  })
  server.listen(port, tls !== undefined || behindProxy ? '0.0.0.0' : '127.0.0.1')
  await once(server, 'listening')
  parts.defer(() => void server.close())
  const owned = parts.move()
  const address = server.address() as AddressInfo
  return { port: address.port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const tlsFilesOf = ({ clientCaFile, ...own }: NonNullable<NonNullable<Installation['gateway']>['tls']>): TlsFiles => ({
  ...own,
  ...(clientCaFile !== undefined && { clientCaFile }),
})

function whoIs({ headers }: IncomingMessage, agents: Installation['agents']): string | undefined {
  const shown = parseBasic(headers.authorization)
  const agent = agents.find(({ name }) => name === shown?.username)
  if (shown === undefined || agent === undefined) return undefined
  return isTokenOf(shown.password, [agent.tokenHash].flat()) ? agent.name : undefined
}
