import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createAgents } from '@tieline/targets/agents'
import { openSocket } from '@tieline/targets/sftp-socket'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readAgentSettings } from '../src/agent-settings.ts'
import { openReach, tokens } from './harness.ts'

const pieces = 16
const piece = Buffer.alloc(2 ** 20, 'x')

/** Echoes; at `flood` it sends without end, at `file` 16 MiB, and answers an HTTP request. */
const target = createServer({ allowHalfOpen: true }, (socket) => {
  inside.push(socket)
  socket.on('error', () => undefined)
  socket.once('close', () => inside.splice(inside.indexOf(socket), 1))
  socket.on('data', (data) => {
    const word = data.toString()
    if (word.startsWith('GET')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    else if (word === 'file') sendFile(socket).catch(() => undefined)
    else if (word === 'flood') flood(socket).catch(() => undefined)
    else socket.write(data)
  })
})
const inside: Socket[] = []

async function sendFile(socket: Socket): Promise<void> {
  for (let i = 0; i < pieces; i++) if (!socket.write(piece)) await once(socket, 'drain')
  socket.end()
}

async function flood(socket: Socket): Promise<void> {
  while (!socket.destroyed) if (!socket.write(piece)) await once(socket, 'drain')
}

let reach: Awaited<ReturnType<typeof openReach>>
let port = 0
beforeAll(async () => {
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  port = (target.address() as AddressInfo).port
  reach = await openReach()
})
afterAll(async () => {
  await reach[Symbol.asyncDispose]()
  for (const socket of inside) socket.destroy()
  target.close()
})

const open = (proxy = reach.proxy, to = port) => openSocket({ host: '127.0.0.1', port: to, proxy, timeoutMs: 5_000 })
const agents = (count: number) =>
  vi.waitFor(async () => expect(await reach.state()).toContain(`{agent="site1"} ${count}`))

async function read(socket: Socket): Promise<number> {
  let bytes = 0
  for await (const chunk of socket) bytes += chunk.length
  return bytes
}

describe('an agent', () => {
  it('carries HTTP as a connection with `via` asks for it', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    using proxied = await createAgents({ proxy: reach.proxy })
    const asking = request({ host: '127.0.0.1', port, agent: proxied.http }).end()
    const [response] = await once(asking, 'response')
    expect(response.statusCode).toBe(200)
  })

  it('carries a large answer whole, and the end of each direction for itself', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    const socket = await open()
    socket.end('file')
    expect(await read(socket)).toBe(pieces * piece.length)
  })

  it('holds the target back while nobody reads', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    const socket = (await open()).pause()
    socket.write('flood')
    const sender = await vi.waitFor(() => {
      const [found] = inside.filter(({ bytesWritten }) => bytesWritten > 0)
      if (found === undefined) throw new Error('nothing was sent yet')
      return found
    })
    let before = -1
    // Standing still is seen by looking twice.
    await vi.waitFor(
      () => {
        const now = sender.bytesWritten - sender.writableLength
        const still = now === before && sender.writableNeedDrain
        before = now
        expect(still).toBe(true)
      },
      { timeout: 5_000, interval: 200 },
    )
    expect(before).toBeLessThan(32 * 2 ** 20)
    socket.destroy()
  })

  it('refuses what is not on its list, and tells which of the ways fails', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port},127.0.0.1:1`)
    await agents(1)
    await expect(open(reach.proxy, port + 1)).rejects.toThrow('403')
    await expect(open(reach.proxy, 1)).rejects.toThrow('502')
    await expect(open(reach.proxy.replace('a-key', 'no-key'))).rejects.toThrow('407')
    await expect(open(reach.proxy.replace('site1', 'site2'))).rejects.toThrow('503')
    const state = await reach.state()
    for (const line of ['site1",status="403"} 1', 'site1",status="502"} 1', 'site2",status="503"} 1']) {
      expect(state).toContain(`tieline_gateway_connections_total{agent="${line}`)
    }
    expect(state).toContain('tieline_gateway_agents{agent="site2"} 0')
  })

  it('is survived by another of its name; what it carried is cut, not ended', async () => {
    const first = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    const socket = await open()
    socket.write('flood')
    await once(socket, 'readable')
    await using _second = await reach.agent(`127.0.0.1:${port}`, tokens[1].token)
    await agents(2)
    const cut = read(socket)
    await Promise.all([first[Symbol.asyncDispose](), expect(cut).rejects.toThrow('ECONNRESET')])
    await agents(1)
    const again = await open()
    again.end('file')
    expect(await read(again)).toBe(pieces * piece.length)
  })

  it('costs what it carried and nothing else when its process is killed', async () => {
    const killed = reach.process(`127.0.0.1:${port}`)
    await agents(1)
    const socket = await open()
    socket.write('flood')
    await once(socket, 'readable')
    await using _second = await reach.agent(`127.0.0.1:${port}`)
    await agents(2)
    killed.kill('SIGKILL')
    await expect(read(socket)).rejects.toThrow('ECONNRESET')
    const again = await open()
    again.end('file')
    expect(await read(again)).toBe(pieces * piece.length)
  })

  it('lets what it carries end when it stops', async () => {
    const agent = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    const socket = await open()
    socket.write('ping')
    await once(socket, 'readable')
    socket.read()
    const stopped = agent[Symbol.asyncDispose]()
    await agents(0)
    socket.end('file')
    expect(await read(socket)).toBe(pieces * piece.length)
    await stopped
  })

  it('dials again when the gateway was away', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port}`)
    await agents(1)
    await reach.restart()
    await agents(1)
    const socket = await open()
    socket.end('file')
    expect(await read(socket)).toBe(pieces * piece.length)
  })

  it('is let in with neither a wrong token nor without TLS', async () => {
    await using _agent = await reach.agent(`127.0.0.1:${port}`, 'wrong')
    await expect(open()).rejects.toThrow('503')
    expect(() => readAgentSettings({ TIELINE_AGENT_URL: 'http://gateway', TIELINE_AGENT_ALLOW: 'x' })).toThrow(
      /TIELINE_AGENT_URL: must be the https address[\s\S]*TIELINE_AGENT_ALLOW: must be host:port/,
    )
  })
})
