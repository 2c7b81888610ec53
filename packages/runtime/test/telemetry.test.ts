import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openTracer, readTraceparent } from '../src/telemetry.ts'
import { eventually, recordingLogger } from './support.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

describe('the traceparent of a caller', () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    [`00-${traceId}-${spanId}-ff`, 1],
    [`01-${traceId}-${spanId}-01`, 1],
    [`cc-${traceId}-${spanId}-01-what-comes-later`, 1],
  ])('%s is followed', (header, traceFlags) => {
    expect(readTraceparent(header)).toEqual({ traceId, spanId, traceFlags, isRemote: true })
  })

  it.each([
    undefined,
    '',
    'Reyes',
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    ` 00-${traceId}-${spanId}-01`,
  ])('%s is not', (header) => {
    expect(readTraceparent(header)).toBeUndefined()
  })
})

/** As many as are sent without waiting for more. */
const batchSpans = 512

it('says once that the collector does not take traces, and once that it does again, and never in its words', async () => {
  const statuses = [400, 400]
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(statuses.shift() ?? 200).end('Reyes'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { logger, lines } = recordingLogger()
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const tracer = await openTracer({ endpoint, service: 'test', environment: 'test', logger })
  const send = async (batches: number) => {
    for (let i = 0; i < batchSpans * batches; i += 1) tracer.start('work', { kind: 'server' }).end()
  }

  await send(2)
  await eventually(() => statuses.length === 0 && lines.length > 0)
  await send(1)
  await eventually(() => lines.length > 1)
  await tracer[Symbol.asyncDispose]()
  server.close()
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'Traces cannot be delivered to the collector; they are dropped until it is back',
    'Traces are delivered again',
  ])
  expect(lines.join()).not.toContain('Reyes')
})

it('is the same to its users without a collector: work runs, and there is no trace to carry on', async () => {
  const { logger } = recordingLogger()
  await using tracer = await openTracer({ endpoint: undefined, service: 'test', environment: 'test', logger })
  const span = tracer.start('work', { kind: 'server', parent: `00-${traceId}-${spanId}-01` })
  expect(tracer.within(span, () => tracer.current())).toBeUndefined()
  expect(span.traceparent).toBeUndefined()
})
