import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { listen } from '../src/http-listener.ts'
import { makeCertificate } from './certificate.ts'
import { eventually, recordingLogger, temporaryDirectory } from './support.ts'

const loopback = { port: 0, host: '127.0.0.1' }
const hello = new Hono()
  .get('/', (c) => c.text('hello'))
  .post('/', async (c) => c.text(await c.req.text()))
  .onError((_, c) => c.text('the caller went away', 400))

/** An application whose answer waits until it is released. */
function slowApp() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>()
  const app = new Hono().get('/', async (c) => {
    enter()
    await released
    return c.text('done')
  })
  return { app, entered, release }
}

async function get(url: string, options: object = {}): Promise<{ answer: IncomingMessage; body: string }> {
  const sent = (url.startsWith('https') ? secureRequest : request)(url, options).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { answer, body: await text(answer) }
}

describe('an HTTP listener', () => {
  it('takes any free port and says which', async () => {
    await using listener = await listen(hello, loopback)
    expect(listener.port).toBeGreaterThan(0)
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`)
    expect((await get(listener.url)).body).toBe('hello')
  })

  it('keeps idle connections for 75 seconds', async () => {
    await using listener = await listen(hello, loopback)
    using agent = disposableAgent()
    const { answer } = await get(listener.url, { agent })
    expect(answer.headers['keep-alive']).toBe('timeout=75')
  })

  it('rejects when its port is taken', async () => {
    await using listener = await listen(hello, loopback)
    await expect(listen(hello, { ...loopback, port: listener.port })).rejects.toThrow(
      `Port ${listener.port} on 127.0.0.1 is in use by another program.`,
    )
  })

  it('ends at once when only idle connections are left', async () => {
    using agent = disposableAgent()
    const listener = await listen(hello, loopback)
    await get(listener.url, { agent })
    const startMs = performance.now()
    await listener[Symbol.asyncDispose]()
    expect(performance.now() - startMs).toBeLessThan(5_000)
    await expect(get(listener.url)).rejects.toThrow('ECONNREFUSED')
  })

  it('lets a request in flight end, on a kept connection too, and then ends without delay', async () => {
    using agent = disposableAgent()
    const { app, entered, release } = slowApp()
    const listener = await listen(app, loopback)
    const answering = get(listener.url, { agent })
    await entered
    const disposing = listener[Symbol.asyncDispose]()
    await expect(get(listener.url)).rejects.toThrow('ECONNREFUSED')
    const startMs = performance.now()
    release()
    expect((await answering).body).toBe('done')
    await disposing
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  it('cuts off what has not ended within the bound', async () => {
    const { app, entered } = slowApp()
    const listener = await listen(app, { ...loopback, drainWithinMs: 50 })
    const answering = expect(get(listener.url)).rejects.toThrow()
    await entered
    await listener[Symbol.asyncDispose]()
    await answering
  })

  it('drops callers that do not finish their headers in time', async () => {
    await using listener = await listen(hello, { ...loopback, headersTimeoutMs: 100 })
    const socket = connect(listener.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: ')
    expect(await text(socket)).toContain('408')
  })

  it('drops callers that do not finish their request in time, when a limit is set', async () => {
    await using listener = await listen(hello, { ...loopback, headersTimeoutMs: 50, requestTimeoutMs: 100 })
    const socket = connect(listener.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf')
    expect(await text(socket)).toContain('408')
  })

  it('drops callers that go on sending the body of a GET once that was answered', async () => {
    await using listener = await listen(hello, loopback)
    const socket = connect(listener.port, '127.0.0.1').on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
    const sending = setInterval(() => socket.write('x'), 100)
    expect(await text(socket).catch(() => '')).toMatch(/^(?:HTTP\/1\.1 200 |$)/)
    clearInterval(sending)
  })
})

describe('a TLS listener', () => {
  it('takes up new files without a restart, and keeps the former ones while they do not fit', async () => {
    await using directory = await temporaryDirectory()
    const { tls, write } = await tlsFiles(directory.path)
    const [first, second] = [makeCertificate('first'), makeCertificate('second')]
    await write(first)
    const { logger, lines } = recordingLogger()
    await using listener = await listen(hello, { ...loopback, tls, logger, tlsReloadMs: 10 })
    const answersWith = async ({ cert }: { cert: string }) =>
      (await get(listener.url, { ca: cert, agent: false }).catch(() => undefined))?.body === 'hello'
    expect(listener.url).toMatch(/^https:/)
    expect(await answersWith(first)).toBe(true)

    await write({ cert: second.cert, key: first.key })
    await eventually(() => lines.some((line) => line.includes('stay in use')))
    expect(await answersWith(first)).toBe(true)
    await write(second)
    await eventually(() => answersWith(second))
    expect(await answersWith(first)).toBe(false)
    expect(lines.join()).not.toContain('PRIVATE')
  })

  it('drops callers that do not finish their handshake in time', async () => {
    await using directory = await temporaryDirectory()
    const { tls, write } = await tlsFiles(directory.path)
    await write(makeCertificate('silent'))
    await using listener = await listen(hello, { ...loopback, tls, headersTimeoutMs: 100 })
    expect(await text(connect(listener.port, '127.0.0.1'))).toBe('')
  })

  it('lets nobody in without a certificate when it asks for one', async () => {
    await using directory = await temporaryDirectory()
    const { tls, write } = await tlsFiles(directory.path)
    const [own, client] = [makeCertificate('server'), makeCertificate('client')]
    await write(own)
    const clientCaFile = join(directory.path, 'clients.crt')
    await writeFile(clientCaFile, client.cert)
    await using listener = await listen(hello, { ...loopback, tls: { ...tls, clientCaFile } })
    await expect(get(listener.url, { ca: own.cert, agent: false })).rejects.toThrow()
    expect((await get(listener.url, { ca: own.cert, ...client, agent: false })).body).toBe('hello')
  })

  it('refuses to start with files that are missing or do not fit, naming them', async () => {
    await using directory = await temporaryDirectory()
    const { tls, write } = await tlsFiles(directory.path)
    await expect(listen(hello, { ...loopback, tls })).rejects.toThrow(/tls\.crt.*ENOENT/)
    await write({ cert: makeCertificate('one').cert, key: makeCertificate('other').key })
    await expect(listen(hello, { ...loopback, tls })).rejects.toThrow(/tls\.key.*cannot be used/)
  })
})

async function tlsFiles(directory: string) {
  const tls = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
  const write = async ({ cert, key }: { cert: string; key: string }) => {
    await writeFile(`${tls.certFile}.new`, cert)
    await writeFile(`${tls.keyFile}.new`, key)
    await rename(`${tls.certFile}.new`, tls.certFile)
    await rename(`${tls.keyFile}.new`, tls.keyFile)
  }
  return { tls, write }
}

function disposableAgent(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}
