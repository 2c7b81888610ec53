import { readFile } from 'node:fs/promises'
import { type ClientRequest, request } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { examples } from '@tieline/contracts/examples'
import { flowSpec, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import { freePort } from '@tieline/runtime/redis-process'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { eventually } from '@tieline/testkit/eventually'
import { credentials } from '@tieline/testkit/installation'
import { startServiceProcesses } from '@tieline/tools/service-processes'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startProcesses } from '../faults/processes.ts'

const mib = 2 ** 20

/** What JSON of the largest size may be. */
const jsonBytes = 10 * mib

/** All requests together have 128 MiB for JSON, and 16 MiB of it are parsed at a time. */
const residentMibMax = 700

const stack = new AsyncDisposableStack()
let url: string
let pid: () => number | undefined

beforeAll(async () => {
  const client = { name: 'one', flows: inboundFlowIds, credentials: [{ basic: credentials.derms }] }
  const ingress = { maxFileBytes: 5 * mib, clients: [client] }
  // Nobody works on what is taken, and nobody waits long for it.
  const flows = { 'enrollment-request': { replyWithinS: 1 } }
  const site = stack.use(await startProcesses({ redisUrl: inject('redisUrl'), sections: { ingress, flows } }))
  const metricsPort = await freePort()
  const env = { ...site.env, METRICS_PORT: String(metricsPort) }
  const processes = stack.use(startServiceProcesses([{ name: 'ingress', env }], { output: new PassThrough().resume() }))
  url = site.url
  pid = () => processes.pids().ingress
  await eventually(async () => (await fetch(`http://127.0.0.1:${metricsPort}/health/ready`)).ok)
})
afterAll(() => stack.disposeAsync())

/** The ingress hung up while it was sent to: its answer, a refusal, may be lost then. */
const hungUp = 0

/** Sends a body, as much of it as is taken, and gives the status of the answer. */
function send(flow: InboundFlowId, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const sending = openRequest(flow, body.length, headers)
    sending.once('response', ({ statusCode = 0 }) => {
      resolve(statusCode)
      sending.destroy()
    })
    sending.once('error', () => resolve(hungUp))
    Readable.from(piecesOf(Buffer.from(body))).pipe(sending)
  })
}

function openRequest(flow: InboundFlowId, bytes: number, headers: Record<string, string> = {}): ClientRequest {
  const authorization = basicAuthorization(credentials.derms)
  return request(url + flowSpec(flow).paths[0], {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', authorization, 'content-length': bytes, ...headers },
  }).on('error', () => undefined)
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 256 * 1_024) yield body.subarray(at, at + 256 * 1_024)
}

const filled = (begin: string, piece: string, end: string, bytes = jsonBytes) =>
  begin + piece.repeat(Math.floor((bytes - begin.length - end.length) / piece.length)) + end

async function servesOthers() {
  expect(await send('enrollment-sync-ack', JSON.stringify(examples['enrollment-sync-ack']))).toBe(202)
}

async function residentMib(): Promise<number> {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid()}/status`, 'utf8')) ?? []
  return Number(kib) / 1_024
}

test('JSON of the largest size, whatever it is made of, takes down nothing and nobody else', async () => {
  const first = pid()
  const bombs: [name: string, body: string, statuses: number[]][] = [
    ['numbers', filled('{"params":[', '0,', '0]}'), [413]],
    ['lists', filled('{"params":[', '[],', '0]}'), [413]],
    ['records', filled('{"params":[', '{"messageId":"a"},', '0]}'), [413]],
    ['names', `{${Array.from({ length: 600_000 }, (_, n) => `"f${n}":1`).join()}}`, [413]],
    ['nesting', filled('{"params":', '[', ''), [400]],
    ['nested objects', filled('', '{"a":', ''), [400]],
    ['one text', filled('{"params":["', 'x', '"]}'), [200]],
    ['one text of escapes', filled('{"params":["', '\\u0000', '"]}'), [200]],
    ['one number', filled('{"params":', '9', '}'), [200]],
    ['one name', filled('{"', 'a', '":1}'), [200]],
    ['spaces', filled('{', ' ', '}'), [200]],
    ['quotes that never close', filled('{"', '\\"', ''), [400]],
    ['garbage', filled('', 'A', ''), [400]],
  ]
  for (const [name, body, statuses] of bombs) {
    const status = await send('enrollment-request', body)
    expect(statuses, name).toContain(status)
    await servesOthers()
  }
  const statuses = await Promise.all(bombs.map(([, body]) => send('enrollment-request', body)))
  expect([...new Set(statuses)].filter((status) => ![200, 400, 413, 503, hungUp].includes(status))).toEqual([])
  await servesOthers()
  expect(pid()).toBe(first)
  expect(await residentMib()).toBeLessThan(residentMibMax)
})

test('more JSON than there is room for is told to come again, the small is still taken, and all when there is room', async () => {
  const body = Buffer.from(filled('{"params":["', 'x', '"]}'))
  await using stalled = new AsyncDisposableStack()
  const refused = await new Promise<number>((resolve) => {
    for (let i = 0; i < 14; i++) {
      const sending = openRequest('enrollment-request', body.length)
      stalled.defer(() => void sending.destroy())
      sending.once('response', ({ statusCode = 0 }) => resolve(statusCode))
      Readable.from(piecesOf(body.subarray(1))).pipe(sending, { end: false })
    }
  })
  expect(refused).toBe(503)
  await servesOthers()
  await stalled.disposeAsync()
  await eventually(async () => (await send('enrollment-request', body)) === 200)
  expect(await residentMib()).toBeLessThan(residentMibMax)
})

test('nothing compressed is unpacked', async () => {
  const zeros = Buffer.alloc(16 * mib)
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['gzip, gzip', gzipSync(gzipSync(zeros))],
  ] as const) {
    for (const flow of ['stage-status', 'enrollment-sync', 'event-outcome'] as const) {
      const type = flow === 'event-outcome' ? 'multipart/mixed; boundary=b' : 'application/json'
      const headers = { 'content-encoding': encoding, 'content-type': type }
      expect(await send(flow, bytes, headers), `${encoding} to ${flow}`).toBe(415)
    }
  }
  await servesOthers()
})

test('multipart of too much of anything is refused, and nothing of it fills the memory', async () => {
  const first = pid()
  const headers = { 'content-type': 'multipart/mixed; boundary=b' }
  const part = (type: string, content: string) => `--b\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`
  const json = part('application/json', JSON.stringify(examples['event-outcome']))
  const bombs: [name: string, body: string, status: number][] = [
    ['text before the parts', filled('', 'a', '', 20 * mib), 413],
    ['text after the parts', filled(`${json}${part('text/csv', 'a')}--b--\r\n`, 'a', '', 20 * mib), 202],
    ['parts', part('text/csv', '').repeat(100_000), 400],
    ['parts of nothing', '--b\r\n'.repeat(1_000_000), 400],
    ['JSON parts', json.repeat(1_000), 400],
    ['headers', `--b\r\n${'A: b\r\n'.repeat(1_000_000)}`, 400],
    ['a header', filled('--b\r\nA: ', 'b', '', 5 * mib), 400],
    ['a file', part('text/csv', 'a'.repeat(6 * mib)), 413],
    ['a file like boundaries', part('text/csv', '\r\n--'.repeat(2 * mib)), 413],
    ['JSON beside the file', part('application/json', 'a'.repeat(11 * mib)), 413],
    [
      'values in JSON beside the file',
      `${part('application/json', filled('{"a":[', '0,', '0]}', 5 * mib))}--b--\r\n`,
      413,
    ],
  ]
  for (const [name, body, status] of bombs) {
    const possible = status === 202 ? [status] : [status, hungUp]
    expect(possible, name).toContain(await send('event-outcome', body, headers))
    await servesOthers()
  }
  expect(pid()).toBe(first)
  expect(await residentMib()).toBeLessThan(residentMibMax)
})
