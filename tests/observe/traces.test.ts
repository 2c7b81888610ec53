import type { Pipeline } from '@tieline/testkit/pipeline'
import { expect, test } from 'vitest'
import { openPipeline as openForFiles, reservation, reservationCsv, sendFile } from '../flows/files.ts'
import { acknowledged, keyOf, mailed, openPipeline, scheduled, send, withoutRetries } from '../flows/stages.ts'
import { type CollectedSpan, startTraceCollector } from './trace-collector.ts'

/** What became of a message, once every service has sent the last of its spans. */
async function traced(
  open: (options: { traceEndpoint: string }) => Promise<Pipeline>,
  scenario: (pipeline: Pipeline) => Promise<void>,
): Promise<CollectedSpan[]> {
  await using collector = await startTraceCollector()
  {
    await using pipeline = await open({ traceEndpoint: collector.url })
    await scenario(pipeline)
  }
  return collector.spans()
}

const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((span) => span.name === name)
const only = (spans: readonly CollectedSpan[], name: string) => {
  const [span, ...more] = named(spans, name)
  if (span === undefined || more.length > 0) throw new Error(`There are ${more.length + (span ? 1 : 0)} spans ${name}`)
  return span
}

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`

test('the trace of the caller leads through the ingress, the queue and each attempt of a worker to the target', async () => {
  let got: readonly (string | undefined)[] = []
  const spans = await traced(openPipeline, async (pipeline) => {
    pipeline.dacs.failNext({ operation: 'createProgramEvent', status: 503 })
    expect(await send(pipeline, scheduled, { headers: { traceparent } })).toEqual(acknowledged('SUCCESS', scheduled))
    got = pipeline.dacs.received.map(({ headers }) => headers.traceparent)
  })

  const receive = only(spans, 'receive stage-status')
  const accept = only(spans, 'accept stage-status')
  const attempts = named(spans, 'attempt stage-status')
  const calls = named(spans, 'createProgramEvent')
  const key = keyOf(scheduled)
  expect(receive).toMatchObject({
    service: 'tieline-ingress',
    kind: 'server',
    parentId: caller.spanId,
    failed: undefined,
    attributes: { 'tieline.client': 'derms', 'tieline.message.key': key, 'http.response.status_code': 200 },
  })
  expect(accept).toMatchObject({ service: 'tieline-ingress', kind: 'producer', parentId: receive.spanId })
  expect(attempts.map(({ kind, parentId, failed, attributes }) => ({ kind, parentId, failed, attributes }))).toEqual([
    {
      kind: 'consumer',
      parentId: accept.spanId,
      failed: 'target-error',
      attributes: attributesOf({ 'tieline.attempt': 1, 'error.type': 'target-error' }),
    },
    {
      kind: 'consumer',
      parentId: accept.spanId,
      failed: undefined,
      attributes: attributesOf({ 'tieline.attempt': 2, 'tieline.state': 'succeeded', 'tieline.outcome': 'SUCCESS' }),
    },
  ])
  expect(calls.map(({ kind, service, parentId, failed }) => ({ kind, service, parentId, failed }))).toEqual([
    { kind: 'client', service: 'tieline-events', parentId: attempts[0]?.spanId, failed: 'target-error' },
    { kind: 'client', service: 'tieline-events', parentId: attempts[1]?.spanId, failed: undefined },
  ])
  expect(got).toEqual(calls.map(({ spanId }) => `00-${caller.traceId}-${spanId}-01`))
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([caller.traceId]))
})

const attributesOf = (more: Record<string, string | number>) => ({
  'tieline.flow': 'stage-status',
  'tieline.message.key': keyOf(scheduled),
  'tieline.generation': 1,
  ...more,
})

test('a repeat has a trace of its own, and points to the one before it', async () => {
  const spans = await traced(openPipeline, async (pipeline) => {
    for (const _ of [1, 2]) await send(pipeline, scheduled)
  })
  const [first, repeat] = named(spans, 'accept stage-status')
  expect(repeat).toMatchObject({ links: [first?.spanId], attributes: { 'tieline.acceptance': 'replayed' } })
  expect(repeat?.traceId).not.toBe(first?.traceId)
  expect(named(spans, 'attempt stage-status')).toHaveLength(1)
})

test('the trace of an e-mail and that of the message that it is about point to each other', async () => {
  const spans = await traced(
    (options) => openPipeline({ ...withoutRetries, ...options }),
    async (pipeline) => {
      pipeline.dacs.failNext({ operation: 'createProgramEvent', status: 503 })
      await send(pipeline, scheduled)
      await mailed(pipeline, 'target-error', scheduled)
    },
  )
  const attempt = only(spans, 'attempt stage-status')
  const begin = only(spans, 'begin notification')
  expect(begin).toMatchObject({ service: 'tieline-events', links: [attempt.spanId], parentId: '' })
  expect(attempt).toMatchObject({ links: [begin.spanId], failed: 'target-error' })
  expect(only(spans, 'attempt notification')).toMatchObject({
    service: 'tieline-notifier',
    traceId: begin.traceId,
    parentId: begin.spanId,
  })
})

test('so do those of an event file and of its acknowledgment, down to the call-back', async () => {
  const spans = await traced(openForFiles, async (pipeline) => {
    await sendFile(pipeline, 'event-reservation', reservation, reservationCsv)
  })
  const file = only(spans, 'attempt event-reservation')
  const begin = only(spans, 'begin acknowledgment')
  const attempt = only(spans, 'attempt acknowledgment')
  expect(begin.links).toEqual([file.spanId])
  expect(file.links).toContain(begin.spanId)
  expect(attempt.parentId).toBe(begin.spanId)
  expect(spans.filter(({ kind, parentId }) => kind === 'client' && parentId === attempt.spanId)).toHaveLength(1)
})

test('without a collector nothing is traced, and targets get no trace', async () => {
  await using pipeline = await openPipeline()
  await send(pipeline, scheduled, { headers: { traceparent } })
  expect(pipeline.dacs.received.map(({ headers }) => headers.traceparent)).toEqual([undefined])
})
