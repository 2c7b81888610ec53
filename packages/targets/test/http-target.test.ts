import { after, backoff, CallError } from '@tieline/runtime/error'
import { Histogram, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { closedPort, json, startFarSide, startRawServer } from './far-side.ts'
import { createTestTarget, failureOf } from './target.ts'

it('sends JSON and hands back what the target answered', async () => {
  await using far = await startFarSide(json(200, { MsgAck: { ackType: 'SUCCESS' } }))
  using target = await createTestTarget({ auth: { basic: { username: 'oic', password: 'pässword' } } })
  const answer = await target.post(`${far.url}/enroll`)
  expect(answer).toEqual({
    status: 200,
    body: { MsgAck: { ackType: 'SUCCESS' } },
    durationMs: expect.any(Number),
  })
  const [request] = far.received
  expect(request).toMatchObject({ method: 'POST', path: '/enroll', body: '{"name":"Reyes"}' })
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: `Basic ${Buffer.from('oic:pässword').toString('base64')}`,
  })
})

it.each(['<html>ok</html>', ''])('does not judge the body of a success: %j', async (body) => {
  await using far = await startFarSide((_request, response) => response.end(body))
  using target = await createTestTarget()
  expect(await target.post(far.url)).toMatchObject({ status: 200, body: undefined })
})

it('keeps the words and the number of a refusal, but not in its message', async () => {
  const problem = { title: 'Duplicate', detail: '<![CDATA[of Reyes]]>', serverMessage: { messageNumber: 10589 } }
  await using far = await startFarSide(json(400, { problemDetailDocument: problem }))
  using target = await createTestTarget()
  const error = await failureOf(target.post(far.url))
  expect(error).toBeInstanceOf(CallError)
  expect(error).toMatchObject({
    code: 'target-refused',
    outcome: 'refused',
    retry: { kind: 'never' },
    connection: 'FAR',
    status: 400,
    farNumber: 10589,
    message: 'FAR: enroll answered 400',
  })
  expect(error.farText).toContain('Duplicate')
  expect(error.cause).toBeUndefined()
  expect(JSON.stringify(error)).not.toContain('Reyes')
})

it.each([301, 302, 307, 308])('does not follow a redirect (%i)', async (status) => {
  await using far = await startFarSide(json(status, undefined, { location: '/elsewhere' }))
  using target = await createTestTarget()
  const error = await failureOf(target.post(far.url))
  expect(error).toMatchObject({ code: 'target-error', outcome: 'unknown', status })
  expect(far.received).toHaveLength(1)
})

it('makes one request for one call, also when the target fails', async () => {
  await using far = await startFarSide(json(503, undefined, { 'retry-after': '2' }))
  using target = await createTestTarget()
  const error = await failureOf(target.post(far.url, { method: 'GET', body: undefined }))
  expect(error).toMatchObject({ code: 'target-error', outcome: 'unknown', retry: after(2_000) })
  expect(far.received).toHaveLength(1)
})

it.each(['content-length', 'chunked'])('stops reading an answer that is too large (%s)', async (framing) => {
  const large = Buffer.alloc(300_000, 'x')
  await using far = await startFarSide((_request, response) => {
    if (framing === 'content-length') response.setHeader('content-length', large.length)
    response.end(large)
  })
  using target = await createTestTarget({ maxAnswerBytes: 100_000 })
  const error = await failureOf(target.post(far.url))
  expect(error).toMatchObject({ code: 'target-answer-invalid', outcome: 'unknown', retry: backoff, status: 200 })
})

it('takes an answer that is one byte too large for too large', async () => {
  await using far = await startFarSide((_request, response) =>
    response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(`"${'x'.repeat(999)}"`),
  )
  using target = await createTestTarget({ maxAnswerBytes: 1_000 })
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-answer-invalid', outcome: 'unknown' })
  using enough = await createTestTarget({ maxAnswerBytes: 1_001 })
  expect(await enough.post(far.url)).toMatchObject({ status: 200, body: 'x'.repeat(999) })
})

it('takes a refusal for a refusal even when its body is too large', async () => {
  await using far = await startFarSide((_request, response) => response.writeHead(400).end('x'.repeat(2_000)))
  using target = await createTestTarget({ maxAnswerBytes: 1_000 })
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-refused', outcome: 'refused' })
})

it('does not unpack a compressed answer', async () => {
  await using far = await startFarSide(json(200, { packed: true }, { 'content-encoding': 'gzip' }))
  using target = await createTestTarget()
  expect(await target.post(far.url)).toMatchObject({ status: 200, body: undefined })
  expect(far.received[0]?.headers['accept-encoding']).toBe('identity')
})

it('calls the outcome unknown when the target is too slow', async () => {
  await using far = await startFarSide(() => undefined)
  using target = await createTestTarget({ timeoutMs: 100 })
  const error = await failureOf(target.post(far.url))
  expect(error).toMatchObject({ code: 'target-timeout', outcome: 'unknown', retry: backoff })
  expect(error.status).toBeUndefined()
  expect(far.received).toHaveLength(1)
})

it('calls the outcome unknown when the body of a success comes too slowly', async () => {
  await using far = await startFarSide((_request, response) => response.write('{"half":'))
  using target = await createTestTarget({ timeoutMs: 100 })
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-timeout', outcome: 'unknown' })
})

it('knows that nothing was applied when nothing listens', async () => {
  using target = await createTestTarget()
  const error = await failureOf(target.post(`http://127.0.0.1:${await closedPort()}/`))
  expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed', retry: backoff })
  expect(error.message).toBe('FAR: enroll got no connection (ECONNREFUSED)')
})

it('knows that nothing was applied when the name does not resolve', async () => {
  using target = await createTestTarget({ timeoutMs: 1_000 })
  const error = await failureOf(target.post('http://dacs.invalid/'))
  expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
})

it('calls the outcome unknown when the connection breaks after the request', async () => {
  await using far = await startFarSide((_request, _response, socket) => socket.destroy())
  using target = await createTestTarget()
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
})

it('calls the outcome unknown when the connection is reset while the request arrives', async () => {
  await using raw = await startRawServer((socket) => socket.on('data', () => socket.resetAndDestroy()))
  using target = await createTestTarget()
  const error = await failureOf(target.post(`http://127.0.0.1:${raw.port}/`))
  expect(error).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
})

it('calls the outcome unknown when a kept connection breaks under the next call', async () => {
  await using far = await startFarSide((request, response, socket) =>
    request.path === '/first' ? response.end('{}') : socket.resetAndDestroy(),
  )
  using target = await createTestTarget()
  await target.post(`${far.url}/first`)
  const error = await failureOf(target.post(`${far.url}/second`))
  expect(error).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
  expect(far.received.map(({ path }) => path)).toEqual(['/first', '/second'])
})

it('calls the outcome unknown when the body of a success ends early', async () => {
  await using far = await startFarSide((_request, response, socket) => {
    response.writeHead(200, { 'content-length': 100 }).write('{"half":')
    setImmediate(() => socket.destroy())
  })
  using target = await createTestTarget()
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
})

it('calls the outcome unknown when the answer is not HTTP', async () => {
  await using raw = await startRawServer((socket) => socket.on('data', () => socket.end('220 mail.example ESMTP\r\n')))
  using target = await createTestTarget()
  const error = await failureOf(target.post(`http://127.0.0.1:${raw.port}/`))
  expect(error).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
})

it('keeps to the number of calls in flight, in the order of their arrival', async () => {
  let inFlight = 0
  let most = 0
  await using far = await startFarSide(async (_request, response) => {
    inFlight += 1
    most = Math.max(most, inFlight)
    // Long enough for calls to meet that should not.
    await new Promise((resolve) => setTimeout(resolve, 5))
    inFlight -= 1
    response.end('{}')
  })
  using target = await createTestTarget({ concurrency: 3 })
  await Promise.all(Array.from({ length: 12 }, () => target.post(far.url)))
  expect(most).toBe(3)

  using single = await createTestTarget({ concurrency: 1 })
  const paths = ['/1', '/2', '/3', '/4']
  far.received.length = 0
  await Promise.all(paths.map((path) => single.post(`${far.url}${path}`)))
  expect(far.received.map(({ path }) => path)).toEqual(paths)
})

it('counts the time limit from the moment a call gets its slot', async () => {
  // All calls together take longer than the time limit, each shorter.
  await using far = await startFarSide((_request, response) => setTimeout(() => response.end('{}'), 60))
  using target = await createTestTarget({ concurrency: 1, timeoutMs: 300 })
  const answers = await Promise.all(Array.from({ length: 8 }, () => target.post(far.url)))
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
})

it.each([401, 403])('pauses after %i, then probes with one call before it lets others pass', async (refusal) => {
  let now = 0
  let pauses = 0
  let respond = json(refusal)
  await using far = await startFarSide((...exchange) => respond(...exchange))
  using target = await createTestTarget({ pauseMs: 60_000, clock: () => now, onPause: () => (pauses += 1) })

  expect(await failureOf(target.post(far.url))).toMatchObject({ outcome: 'failed', status: refusal })
  now = 50_000
  const paused = await failureOf(target.post(far.url))
  expect(paused).toMatchObject({ code: 'connection-paused', outcome: 'failed', retry: after(10_000), durationMs: 0 })
  expect(paused.status).toBeUndefined()
  expect(far.received).toHaveLength(1)
  expect(pauses).toBe(1)

  now = 60_000
  const arrived = new Promise<() => void>((resolve) => {
    respond = (_request, response) => resolve(() => response.end('{}'))
  })
  const probe = target.post(far.url)
  const letGo = await arrived
  expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'connection-paused', outcome: 'failed' })
  letGo()
  expect(await probe).toMatchObject({ status: 200 })
  respond = json(200)
  expect(await target.post(far.url)).toMatchObject({ status: 200 })
  expect(far.received).toHaveLength(3)
})

it('measures every call by connection, operation and status', async () => {
  const registers = [new Registry()]
  const durations = new Histogram({
    name: 'calls',
    help: 'calls',
    labelNames: ['connection', 'operation', 'status'] as const,
    registers,
  })
  await using far = await startFarSide((request, response) => response.writeHead(Number(request.path.slice(1))).end())
  using target = await createTestTarget({ durations })
  await target.post(`${far.url}/200`)
  await failureOf(target.post(`${far.url}/500`))
  await failureOf(target.post(`http://127.0.0.1:${await closedPort()}/`))
  const { values } = await durations.get()
  const counts = values.filter(({ metricName }) => metricName === 'calls_count').map(({ labels }) => labels)
  expect(counts).toEqual([
    { connection: 'FAR', operation: 'enroll', status: 200 },
    { connection: 'FAR', operation: 'enroll', status: 500 },
    { connection: 'FAR', operation: 'enroll', status: 'target-unreachable' },
  ])
})
