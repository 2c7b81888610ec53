import { once } from 'node:events'
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { carry } from '@tieline/runtime/agent-link'
import { createCredentialsCheck } from '@tieline/runtime/basic-credentials'
import type { Logger } from '@tieline/runtime/logger'
import type { Door } from './agent-door.ts'
import type { AgentSessions } from './agent-sessions.ts'

interface WorkerDoorOptions {
  readonly port: number
  readonly host: string
  readonly agents: readonly { readonly name: string }[]
  readonly key: string
  readonly sessions: AgentSessions
  readonly logger: Logger
  /** Told how each wish for a connection was answered. */
  readonly onAnswer: (agent: string, status: number) => void
}

/** An HTTP proxy for `CONNECT` whose users are the agents and whose password is the key. @throws when the port is taken */
export async function openWorkerDoor(options: WorkerDoorOptions): Promise<Door> {
  const { port, host, agents, key } = options
  const check = createCredentialsCheck(agents.map(({ name }) => ({ username: name, password: key, owner: name })))
  const open = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const agent = check(request.headers['proxy-authorization']?.replace(/^Basic /i, '') ?? '')
    if (agent === undefined) return refuse(socket, 407)
    void connectThrough(agent, request.url ?? '', socket, head, options)
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of open) socket.resetAndDestroy()
    },
  }
}

async function connectThrough(
  agent: string,
  target: string,
  socket: Socket,
  head: Buffer,
  { sessions, logger, onAnswer }: WorkerDoorOptions,
): Promise<void> {
  const { status, stream } = await sessions.open(agent, target)
  onAnswer(agent, status)
  if (stream === undefined) {
    logger.warn(
      { agent, target, status },
      `No connection to ${target} through agent ${agent}: ${reasons[status] ?? status}`,
    )
    return refuse(socket, status)
  }
  if (socket.destroyed) return void stream.close()
  socket.setNoDelay(true).write('HTTP/1.1 200 Connection established\r\n\r\n')
  if (head.length > 0) stream.write(head)
  carry(socket, stream)
}

const reasons: Readonly<Record<number, string>> = {
  403: 'TIELINE_AGENT_ALLOW of the agent does not list it',
  502: 'the agent cannot connect to it',
  503: 'no agent of this name is connected',
  504: 'the agent got no answer from it in time',
}

const refuse = (socket: Socket, status: number): void =>
  void socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
