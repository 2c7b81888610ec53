import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startDacsSimulator } from '../src/start.ts'
import { call } from './call.ts'
import { enrollment, programEvent } from './samples.ts'

const basic = { username: 'oic', password: 'pässword' }
const authorization = `Basic ${Buffer.from('oic:pässword').toString('base64')}`
const dacs = await startDacsSimulator({ auth: { basic, bearer: 'token-1' } })
const { simulator } = dacs
const enrollUrl = `${dacs.url}/tenant/prod/dac/rest/apis/cross/digitalAssets/programEnrollments/enroll`
const eventUrl = `${dacs.url}/rest/apis/cross/service/programEvent/`
const enroll = (transactionId: string) => call(enrollUrl, 'POST', { ...enrollment, transactionId }, { authorization })

beforeEach(() => simulator.reset())
afterAll(() => dacs[Symbol.asyncDispose]())

describe('what every operation refuses', () => {
  test.each([
    ['no credentials', {}],
    ['a wrong password', { authorization: `Basic ${Buffer.from('oic:wrong').toString('base64')}` }],
    ['a wrong token', { authorization: 'Bearer token-2' }],
    ['a scheme it does not know', { authorization: 'Digest x' }],
  ])('answers 401 to %s', async (_, headers) => {
    const answer = await call(enrollUrl, 'POST', enrollment, headers)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('Basic')
    expect(simulator.enrollments.size).toBe(0)
  })

  test.each([{ authorization }, { authorization: 'Bearer token-1' }])(
    'takes any of its credentials',
    async (headers) => {
      expect((await call(enrollUrl, 'POST', enrollment, headers)).status).toBe(200)
    },
  )

  test('answers 415 to another content type', async () => {
    const answer = await call(enrollUrl, 'POST', enrollment, { authorization, 'content-type': 'text/plain' })
    expect(answer.status).toBe(415)
  })

  test('answers 400 to broken JSON, and takes a charset', async () => {
    const headers = { authorization, 'content-type': 'application/json; charset=utf-8' }
    expect((await call(enrollUrl, 'POST', '{"transactionId":', headers)).status).toBe(400)
    expect((await call(enrollUrl, 'POST', enrollment, headers)).status).toBe(200)
  })

  test('answers 405 to another method and 404 to another path', async () => {
    expect((await call(enrollUrl, 'PUT', enrollment, { authorization })).status).toBe(405)
    expect((await call(`${enrollUrl}s`, 'POST', enrollment, { authorization })).status).toBe(404)
    expect((await call(eventUrl.replace(/\/$/, ''), 'POST', programEvent, { authorization })).status).toBe(404)
    expect(simulator.received.map(({ operation }) => operation)).toEqual(['unknown', 'unknown', 'unknown'])
  })

  test('answers at any prefix of the REST root, and without a root', async () => {
    const path = '/cross/service/programEvent/'
    for (const root of ['', '/rest/apis', '/tenant/prod/ouaf/rest/apis']) {
      expect((await call(dacs.url + root + path, 'POST', programEvent, { authorization })).status).toBe(200)
    }
    expect((await call(`${dacs.url}/elsewhere${path}`, 'POST', programEvent, { authorization })).status).toBe(404)
  })
})

describe('what arrived', () => {
  test('keeps calls in order with path, body and answer, but no credentials', async () => {
    await enroll('T-1')
    await call(enrollUrl, 'POST', 'not json', { authorization })
    expect(simulator.received).toMatchObject([
      { operation: 'enrollProgram', method: 'POST', body: { transactionId: 'T-1' }, answered: 200, applied: true },
      { operation: 'enrollProgram', body: 'not json', answered: 400, applied: false },
    ])
    expect(simulator.received[0]?.path).toBe(new URL(enrollUrl).pathname)
    expect(simulator.received[0]?.headers).toMatchObject({ authorization: 'Basic', 'content-type': 'application/json' })
    expect(JSON.stringify(simulator.received)).not.toContain(authorization)
    expect(simulator.count('enrollProgram')).toBe(2)
    expect(simulator.count('healthCheck')).toBe(0)
  })
})

describe('faults on demand', () => {
  test('fails the next calls in the order of the instructions, without an effect', async () => {
    simulator.failNext({ status: 503, times: 2 })
    simulator.failNext({ status: 400, body: { said: 'no' } })
    const answers = [await enroll('T-1'), await enroll('T-1'), await enroll('T-1'), await enroll('T-1')]
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 400, 200])
    expect(answers[0]?.body).toHaveProperty('problemDetailDocument.httpStatus', 503)
    expect(answers[2]?.body).toEqual({ said: 'no' })
    expect(simulator.received.map(({ applied }) => applied)).toEqual([false, false, false, true])
  })

  test('fails only the named operation', async () => {
    simulator.failNext({ operation: 'createProgramEvent', status: 500 })
    expect((await enroll('T-1')).status).toBe(200)
    expect((await call(eventUrl, 'POST', programEvent, { authorization })).status).toBe(500)
    expect((await call(eventUrl, 'POST', programEvent, { authorization })).status).toBe(200)
  })

  test('refuses an instruction for an operation that does not exist', () => {
    expect(() => simulator.failNext({ operation: 'enrolProgram', status: 500 })).toThrow(RangeError)
  })

  test('takes effect and answers a failure when told to', async () => {
    simulator.failNext({ status: 503, apply: true, times: 2 })
    expect((await enroll('T-1')).status).toBe(503)
    expect((await enroll('T-1')).status).toBe(503)
    expect(simulator.enrollments.has('T-1')).toBe(true)
    expect(simulator.received.map(({ applied }) => applied)).toEqual([true, false])
  })

  test('takes effect, then cuts the connection', async () => {
    simulator.applyThenDrop()
    await expect(enroll('T-1')).rejects.toThrow()
    expect(simulator.enrollments.has('T-1')).toBe(true)
    expect(simulator.received).toMatchObject([{ answered: 'dropped', applied: true }])
    expect((await enroll('T-1')).body).toHaveProperty('problemDetailDocument.serverMessage.messageNumber', 10589)
  })

  test('cuts the connection without an effect', async () => {
    simulator.dropBefore({ operation: 'enrollProgram' })
    await expect(enroll('T-1')).rejects.toThrow()
    expect(simulator.enrollments.size).toBe(0)
    expect(simulator.received).toMatchObject([{ answered: 'dropped', applied: false }])
    expect((await enroll('T-1')).status).toBe(200)
  })

  test('delays the answer, not the effect', async () => {
    simulator.latency({ operation: 'enrollProgram', ms: 60_000 })
    const aborted = new AbortController()
    const pending = fetch(enrollUrl, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(enrollment),
      signal: aborted.signal,
    })
    await expect.poll(() => simulator.enrollments.size).toBe(1)
    expect(simulator.received).toMatchObject([{ answered: 'pending', applied: true }])
    aborted.abort()
    await expect(pending).rejects.toThrow()
    simulator.heal()
    expect((await enroll('T-2')).status).toBe(200)
  })
})

describe('control over HTTP', () => {
  const control = (path: string, body?: unknown) =>
    call(`${dacs.url}/control/${path}`, body === undefined ? 'GET' : 'POST', body)

  test('drives faults and shows what arrived, without credentials', async () => {
    expect((await control('fail-next', { status: 503, operation: 'enrollProgram' })).status).toBe(204)
    await control('apply-then-drop', {})
    await control('drop-before', { times: 1 })
    expect((await enroll('T-1')).status).toBe(503)
    await expect(enroll('T-1')).rejects.toThrow()
    await expect(enroll('T-2')).rejects.toThrow()
    expect((await control('received?operation=enrollProgram')).body).toMatchObject([
      { answered: 503, applied: false },
      { answered: 'dropped', applied: true },
      { answered: 'dropped', applied: false },
    ])
    expect((await control('received?operation=healthCheck')).body).toEqual([])
    expect((await control('state')).body).toMatchObject({ enrollments: [{ transactionId: 'T-1' }] })
  })

  test('resets and heals', async () => {
    await control('latency', { ms: 60_000 })
    await control('fail-next', { status: 500 })
    await control('heal', {})
    expect((await enroll('T-1')).status).toBe(200)
    await control('reset', {})
    expect((await control('received')).body).toEqual([])
    expect(simulator.enrollments.size).toBe(0)
  })

  test.each([
    ['fail-next', { status: 99 }],
    ['fail-next', { status: 500, operation: 'nothing' }],
    ['fail-next', { status: 500, twice: true }],
    ['drop-before', { times: 0 }],
    ['latency', '{'],
    ['health', { status: 204 }],
  ])('answers 400 to a bad instruction: %s %j', async (path, body) => {
    expect((await control(path, body)).status).toBe(400)
  })
})
