import { randomUUID } from 'node:crypto'
import { examples } from '@tieline/contracts/examples'
import { flowSpec, type InboundFlowId, inboundFlowIds, isFileFlow } from '@tieline/contracts/flows'
import { oicFaultDocument } from '@tieline/contracts/oic-fault'
import { buildOpenApi } from '@tieline/contracts/openapi'
import { problemDocument } from '@tieline/contracts/problem'
import { credentials } from '@tieline/testkit/installation'
import { type Pipeline, startPipeline } from '@tieline/testkit/pipeline'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { damaged, mark, mutated } from './mutations.ts'

let pipeline: Pipeline

beforeAll(async () => {
  // Nobody works, so every awaited message is answered at once.
  pipeline = await startPipeline({ redisUrl: inject('redisUrl'), services: [] })
})
afterAll(() => pipeline[Symbol.asyncDispose]())

interface ApiDescription {
  readonly paths: Readonly<Record<string, { readonly post?: { readonly responses: object } }>>
}

/** The statuses that the description of the interface has for each path. */
const documented = new Map(
  Object.entries((buildOpenApi() as ApiDescription).paths).map(([path, { post }]) => [
    path,
    Object.keys(post?.responses ?? {}).map(Number),
  ]),
)

const authorization = (flow: InboundFlowId) => {
  const { username, password } = flowSpec(flow).caller === 'DACS' ? credentials.dacs : credentials.derms
  return `Basic ${btoa(`${username}:${password}`)}`
}

/** Sends bytes to a flow and looks at all that is promised about any answer. */
async function send(flow: InboundFlowId, body: string | Buffer, headers: Record<string, string> = {}) {
  const path = flowSpec(flow).paths[0] ?? ''
  const response = await fetch(pipeline.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization(flow), ...headers },
    body: new Uint8Array(Buffer.from(body)),
  })
  const { status } = response
  const text = await response.text()
  const type = response.headers.get('content-type')
  expect(documented.get(path)).toContain(status)
  if (status >= 500) expect(status).toBe(503)
  if (status === 202) expect([text, type]).toEqual(['', null])
  if (status === 200) expect([type, typeof JSON.parse(text)]).toEqual(['application/json', 'object'])
  if (status >= 400) {
    const isFault = flowSpec(flow).replyShape === 'externalId'
    expect(type).toBe(isFault ? 'application/json' : 'application/problem+json')
    ;(isFault ? oicFaultDocument : problemDocument).parse(JSON.parse(text))
    expect(text).not.toContain(mark)
    expect(text.length).toBeLessThan(20_000)
  }
  return status
}

async function takesGoodMessage() {
  const message = examples['enrollment-sync-ack']
  const [response] = message.MsgAck.responses.response
  const fresh = JSON.stringify(message).replaceAll(response?.dacsMessageId ?? '', randomUUID().slice(0, 14))
  expect(await send('enrollment-sync-ack', fresh)).toBe(202)
  expect('polluted' in {}).toBe(false)
}

/** As DERMS sends it, or with one thing wrong. */
const multipart = (json: fc.Arbitrary<string | Buffer>) =>
  fc
    .record({
      json,
      file: fc.oneof(
        fc.constant('nicId,headEndSystemId\nNIC-1,NEST\n'),
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.uint8Array({ maxLength: 500 }),
      ),
      name: fc.oneof(fc.constant('devices.csv'), fc.string({ unit: 'binary', maxLength: 40 })),
      order: mostly('json first', 'file first', 'json only', 'file only', 'both twice', 'nested'),
      boundary: mostly('b', 'c', ''),
      cut: mostly(0, 1, 7, 100),
    })
    .map(({ json, file, name, order, boundary, cut }) => {
      const part = (head: string, content: string | Uint8Array) =>
        Buffer.concat([Buffer.from(`--b\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')])
      const a = part('Content-Type: application/json', json)
      const b = part(`Content-Type: text/csv\r\nContent-Disposition: attachment; filename="${mark}${name}"`, file)
      const nested = part('Content-Type: multipart/mixed; boundary=b', Buffer.concat([a, b]))
      const orders = {
        'json first': [a, b],
        'file first': [b, a],
        'json only': [a],
        'file only': [b],
        'both twice': [a, b, a, b],
        nested: [nested, a],
      }
      const whole = Buffer.concat([...orders[order], Buffer.from('--b--\r\n')])
      return { body: whole.subarray(0, whole.length - cut), type: `multipart/mixed; boundary=${boundary}` }
    })

const mostly = <const T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

test.each(inboundFlowIds)(
  'whatever is sent to %s gets a documented answer that quotes nothing, and the next message is taken',
  async (flow) => {
    const json = fc.oneof(
      { weight: 5, arbitrary: mutated(examples[flow]) },
      { weight: 1, arbitrary: damaged(examples[flow]) },
      { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    )
    const request = isFileFlow(flow) ? multipart(json) : json.map((body) => ({ body, type: 'application/json' }))
    let sent = 0
    await fc.assert(
      fc.asyncProperty(request, async ({ body, type }) => {
        await send(flow, body, { 'content-type': type })
        if (sent++ % 10 === 0) await takesGoodMessage()
      }),
      { numRuns: 50 },
    )
    await takesGoodMessage()
  },
)

test('whatever headers come along, the answer is a documented one that quotes nothing', async () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => text.trim())
  const value = text.map((text) => `${mark}${text}`)
  const names = ['authorization', 'content-type', 'content-encoding', 'cookie', 'x-http-method-override', 'forwarded']
  // The one header that comes back on purpose, when it is fit to.
  const headers = fc.record(
    { 'x-request-id': text, ...Object.fromEntries(names.map((name) => [name, value])) },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...inboundFlowIds), headers, async (flow, more) => {
      await send(flow, JSON.stringify(examples[flow]), more)
    }),
    { numRuns: 60 },
  )
  await takesGoodMessage()
})
