import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startBillProvisioning } from '@tieline/bill-provisioning/service'
import { startConsole } from '@tieline/console/service'
import { flowSpec, inboundFlowIds } from '@tieline/contracts/flows'
import { createLogger } from '@tieline/runtime/logger'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { credentials } from '@tieline/testkit/installation'
import { startPipeline } from '@tieline/testkit/pipeline'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { mark } from './mutations.ts'

const stack = new AsyncDisposableStack()
const lines: string[] = []
const listeners: Record<string, { url: string; good: string }> = {}

beforeAll(async () => {
  const logger = createLogger({
    service: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  })
  const bills = await mkdtemp(join(tmpdir(), 'tieline-bills-'))
  stack.defer(() => rm(bills, { recursive: true, force: true }))
  const passwordHash = `scrypt:2:1:1:${'A'.repeat(24)}:${'A'.repeat(44)}`
  const sections = {
    console: { users: [{ name: 'ann', role: 'viewer', passwordHash }] },
    bills: { source: { kind: 'directory', path: bills } },
  }
  const pipeline = stack.use(await startPipeline({ redisUrl: inject('redisUrl'), services: [], sections, logger }))
  const console = stack.use(await startConsole(pipeline.settings, { logger }))
  const billing = stack.use(await startBillProvisioning(pipeline.settings, { logger, graceMs: 0 }))
  const [, metricsUrl = ''] = /Metrics and health on (http:[^"]+)"/.exec(lines.join('')) ?? []
  Object.assign(listeners, {
    ingress: { url: pipeline.url, good: '/health/ready' },
    console: { url: console.url, good: '/login' },
    bills: { url: billing.url, good: '/dss/bill/healthcheck' },
    operations: { url: metricsUrl, good: '/health/live' },
  })
})
afterAll(() => stack.disposeAsync())

/** Sends bytes, and waits until the other end has said all and hangs up. */
async function exchange(url: string, bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const said = text(socket).catch(() => '')
  // Cut off while we send: whatever was said before counts.
  socket.on('error', () => undefined)
  socket.end(bytes)
  return said
}

const authorization = `Authorization: ${basicAuthorization(credentials.derms)}`
const paths = [
  '/',
  '/login',
  '/queues',
  '/metrics',
  '/health/ready',
  ...inboundFlowIds.map((id) => flowSpec(id).paths[0] ?? ''),
]

/** A request that is right but for some bytes, or no request at all. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'TRACE', 'CONNECT', 'get', 'PRI'),
      path: fc.oneof(
        fc.constantFrom(...paths),
        fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `/${text}`),
        fc.constantFrom('*', '//', '/%', '/%00', '/%ff%fe', '/../../etc/passwd', 'http://[', `/${mark.repeat(3_000)}`),
      ),
      version: fc.constantFrom('1.1', '1.1', '1.0', '2.0', '9.9'),
      fields: fc.array(
        fc.constantFrom(
          'Host: a',
          'Host: b, c',
          authorization,
          'Authorization: Basic !!!',
          'Content-Length: 5',
          'Content-Length: -1',
          'Content-Length: 99999999999999999999',
          'Transfer-Encoding: chunked',
          'Transfer-Encoding: gzip, chunked',
          'Transfer-Encoding: \u000bchunked',
          'Content-Type: application/json',
          'Content-Type: multipart/mixed; boundary=',
          'Expect: 100-continue',
          'Upgrade: websocket\r\nConnection: upgrade',
          `X-Request-Id: ${mark}\u007f`,
          `Cookie: tieline=${mark}; XSRF-TOKEN=%`,
          `X-${mark}: ${'x'.repeat(20_000)}`,
          ' folded: line',
          'no colon',
        ),
        { maxLength: 6 },
      ),
      body: fc.oneof(fc.constantFrom('', '{"a":', '0\r\n\r\n', 'FFFFFFFFFFFFFFFF\r\n', '-1\r\n', `--\r\n${mark}`)),
      end: fc.constantFrom('\r\n', '\n', '\r'),
    })
    .map(({ method, path, version, fields, body, end }) =>
      Buffer.from([`${method} ${path} HTTP/${version}`, ...fields, '', body].join(end), 'latin1'),
    ),
)

test.each(['ingress', 'console', 'bills', 'operations'])(
  'whatever bytes come, the listener of %s answers in HTTP or hangs up, quotes nothing, and serves the next',
  async (name) => {
    const { url = '', good = '' } = listeners[name] ?? {}
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        const said = await exchange(url, bytes)
        expect(said).toMatch(/^(?:HTTP\/1\.1 \d{3} |$)/)
        expect(said).not.toMatch(/^HTTP\/1\.1 500 /)
        expect(said).not.toContain(mark)
        expect(said).not.toMatch(/node_modules|\.ts:\d/)
      }),
      { numRuns: 100 },
    )
    expect((await fetch(url + good)).status).toBe(200)
    expect(lines.filter((line) => /Unhandled|"code":"internal"/.test(line))).toEqual([])
  },
)
