import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { backoff, CallError } from '@tieline/runtime/error'
import { afterEach, describe, expect, test } from 'vitest'
import { createAgents } from '../src/agents.ts'
import { createHttpTarget } from '../src/http-target.ts'

let server: Server | undefined
afterEach(() => void server?.close())

async function startServer(handler: Parameters<typeof createServer>[1]): Promise<string> {
  server = createServer(handler).listen(0, '127.0.0.1')
  await new Promise((resolve) => server?.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/device-score/a`
}

const openTarget = async (more: object = {}) =>
  createHttpTarget({
    name: 'DERMS',
    agents: await createAgents({}),
    auth: 'none',
    timeoutMs: 500,
    concurrency: 1,
    pauseMs: 1_000,
    ...more,
  })

const bytesOf = (text: string) => ({
  bytes: Buffer.byteLength(text),
  open: async () => Readable.from([Buffer.from(text)]),
})
const send = (url: string, content: { bytes: number; open: () => Promise<Readable> }) => ({
  operation: 'deviceScore',
  method: 'POST' as const,
  url,
  content,
})

describe('content', () => {
  test('goes out as an octet stream of known length, byte for byte', async () => {
    const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc(65_536, i))
    const url = await startServer(async (request, response) => {
      const hash = createHash('sha256')
      for await (const chunk of request) hash.update(chunk as Buffer)
      const { 'content-type': type, 'content-length': length, 'transfer-encoding': encoding } = request.headers
      response.end(JSON.stringify({ type, length, encoding, hash: hash.digest('hex') }))
    })
    const target = await openTarget()
    const content = { bytes: 300 * 65_536, open: async () => Readable.from(pieces) }
    const hash = createHash('sha256').update(Buffer.concat(pieces)).digest('hex')
    expect((await target.call(send(url, content))).body).toEqual({
      type: 'application/octet-stream',
      length: String(content.bytes),
      hash,
    })
    expect((await target.call(send(url, bytesOf('')))).body).toMatchObject({ length: '0' })
  })

  test('may take as long as it makes progress, and its answer longer than any other', async () => {
    const url = await startServer((request, response) => {
      // Longer than the time limit of a call.
      request.resume().on('end', () => setTimeout(() => response.end('{}'), 400))
    })
    const target = await openTarget({ timeoutMs: 250, answerWithinMs: 5_000 })
    async function* slow() {
      for (let n = 0; n < 5; n++) {
        // Together longer than the time limit, each piece shorter.
        await new Promise((resolve) => setTimeout(resolve, 100))
        yield Buffer.alloc(10)
      }
    }
    expect(await target.call(send(url, { bytes: 50, open: async () => Readable.from(slow()) }))).toMatchObject({
      status: 200,
    })
  })

  test('that stalls, or is not answered, ends as a timeout of unknown outcome', async () => {
    const url = await startServer((request) => void request.resume())
    const target = await openTarget({ timeoutMs: 100, answerWithinMs: 100 })
    const stalling = { bytes: 50, open: async () => new Readable({ read() {} }) }
    for (const content of [stalling, bytesOf('x')])
      await expect(target.call(send(url, content))).rejects.toMatchObject({
        code: 'target-timeout',
        outcome: 'unknown',
      })
  })

  test('that cannot be read to its end fails as its source says, and has certainly not been taken', async () => {
    let complete = 0
    const url = await startServer((request, response) => {
      request.on('end', () => {
        complete += 1
        response.end()
      })
      request.resume().on('error', () => undefined)
    })
    const lost = new CallError({
      code: 'target-reset',
      retry: backoff,
      outcome: 'failed',
      connection: 'DACS_FILES',
      message: 'DACS_FILES: read lost its connection',
      durationMs: 1,
    })
    async function* breaking() {
      yield Buffer.alloc(10)
      throw lost
    }
    const target = await openTarget()
    await expect(target.call(send(url, { bytes: 50, open: async () => Readable.from(breaking()) }))).rejects.toBe(lost)
    await expect(target.call(send(url, { bytes: 50, open: () => Promise.reject(lost) }))).rejects.toBe(lost)
    expect(complete).toBe(0)
    // The target can be called all the same.
    expect(await target.call(send(url, bytesOf('x')))).toMatchObject({ status: 200 })
  })

  test('is read again from its beginning when a token had to be renewed', async () => {
    let opened = 0
    const seen: string[] = []
    const url = await startServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      if (request.url === '/token') {
        response.end(JSON.stringify({ access_token: `t${seen.length}`, expires_in: 300 }))
        return
      }
      seen.push(text)
      response.writeHead(seen.length === 1 ? 401 : 202).end()
    })
    const tokenUrl = new URL('/token', url).href
    const target = await openTarget({ auth: { oauth2: { tokenUrl, clientId: 'a', clientSecret: 'b' } } })
    const open = async () => {
      opened += 1
      return Readable.from([Buffer.from('scores')])
    }
    const success = new Set([200, 202])
    expect(await target.call({ ...send(url, { bytes: 6, open }), success })).toMatchObject({ status: 202 })
    expect([opened, seen]).toEqual([2, ['scores', 'scores']])
  })

  test('is let go when the target answers before it was sent', async () => {
    const url = await startServer((_request, response) => {
      response.writeHead(413, { connection: 'close' }).end()
    })
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536))
      },
    })
    const target = await openTarget({ timeoutMs: 2_000 })
    await expect(target.call(send(url, { bytes: 2 ** 40, open: async () => endless }))).rejects.toBeInstanceOf(
      CallError,
    )
    expect(endless.destroyed).toBe(true)
  })
})
