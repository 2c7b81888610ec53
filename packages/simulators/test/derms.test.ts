import { examples } from '@tieline/contracts/examples'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startDermsSimulator, startTokenIssuer } from '../src/start.ts'
import { call } from './call.ts'
import { communicationId, dermsEnrollment, dermsStatusCheck, syncRequestId } from './samples.ts'
import { ack, startStubIngress } from './stub-ingress.ts'

const derms = await startDermsSimulator()
const { simulator } = derms
const root = `${derms.url}/site1/nms-drms/rest/v1`
const enroll = (body: unknown) => call(`${root}/enroll`, 'POST', body)
const check = (body: unknown) => call(`${root}/status-check`, 'POST', body)

beforeEach(() => simulator.reset())
afterAll(() => derms[Symbol.asyncDispose]())

describe('inbound service', () => {
  test('acknowledges an enrollment and lets unknown members of its objects pass', async () => {
    const answer = await enroll(dermsEnrollment)
    expect(answer).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'SUCCESS' } } })
    expect(answer.body.MsgAck.responses.response).toMatchObject([
      { dacsMessageId: syncRequestId, responseCode: 'SUCCESS' },
    ])
    expect(simulator.enrollments.get(syncRequestId)?.message).toEqual(dermsEnrollment)
    const more = { ...dermsEnrollment, contactInfo: { ...dermsEnrollment.contactInfo, newSince: '25.10' } }
    expect((await enroll(more)).status).toBe(200)
    expect(simulator.enrollments.get(syncRequestId)?.message).toEqual(more)
  })

  test('takes nothing as nothing, however it is written', async () => {
    const { contactInfo } = dermsEnrollment
    const bare = { dacsMessageId: syncRequestId, contactInfo, subscriptionInfo: { endDateTimeISO: '', status: null } }
    expect((await enroll({ ...bare, locationInfo: null })).body).toMatchObject({ MsgAck: { ackType: 'SUCCESS' } })
  })

  test('applies a repeat once and a change again', async () => {
    await enroll(dermsEnrollment)
    await enroll(dermsEnrollment)
    await enroll({ ...dermsEnrollment, contactInfo: { cisPersonId: '1' } })
    expect(simulator.received.map(({ answered, applied }) => [answered, applied])).toEqual([
      [200, true],
      [200, false],
      [200, true],
    ])
  })

  test.each([{ contactId: '1' }, { cisPersonId: null }, { cisPersonId: '' }])(
    'answers 200 with ERROR when there is no CIS person: %j',
    async (contactInfo) => {
      const answer = await enroll({ ...dermsEnrollment, contactInfo })
      expect(answer).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'ERROR' } } })
      expect(answer.body.MsgAck.responses.response[0].value).toContain('CIS_PERSON_ID is null')
      expect(simulator.received).toMatchObject([{ applied: false }])
    },
  )

  const device = { deviceId: '590011223344' }
  const withDevice = (change: object) => ({ locationInfo: { controllableDevices: [device, { ...device, ...change }] } })
  test.each([
    ['dacsMessageId', { dacsMessageId: '123456789012345' }],
    ['dacsMessageId', { dacsMessageId: undefined }],
    ['syncRequestId', { syncRequestId }],
    ['contactInfo.contactId', { contactInfo: { contactId: '1234567890123', cisPersonId: '1' } }],
    ['subscriptionInfo.startDateTimeISO', { subscriptionInfo: { startDateTimeISO: '2024-09-01T00:00:00-07:00' } }],
    ['locationInfo.controllableDevices.1.deviceStatus', withDevice({ deviceStatus: 'D1YS' })],
    ['locationInfo.controllableDevices.1.serialNo', withDevice({ serialNo: 's'.repeat(61) })],
  ])('refuses an enrollment with 400 naming %s', async (name, change) => {
    const answer = await enroll({ ...dermsEnrollment, ...change })
    expect(answer).toMatchObject({ status: 400, body: { MsgAck: { ackType: 'ERROR' } } })
    expect(answer.body.MsgAck.responses.response[0].value).toContain(name)
    expect(simulator.enrollments.size).toBe(0)
  })

  test('acknowledges a status check', async () => {
    const answer = await check(dermsStatusCheck)
    expect(answer).toMatchObject({ status: 200, body: { MsgAck: { ackType: 'SUCCESS' } } })
    expect(simulator.statusChecks.get(communicationId)?.message).toEqual(dermsStatusCheck)
  })

  test.each([
    ['DeviceInfo', { DeviceInfo: undefined, deviceInfo: dermsStatusCheck.DeviceInfo }],
    ['DeviceInfo.nicid', { DeviceInfo: { headEndSystem: 'NEST', nicId: 'NIC-0001' } }],
    ['DeviceInfo.headEndSystem', { DeviceInfo: { nicid: 'NIC-0001', headEndSystem: 'h'.repeat(51) } }],
    ['dacsMessageId', { dacsMessageId: 'x'.repeat(31) }],
  ])('refuses a status check with 400 naming %s', async (name, change) => {
    const answer = await check({ ...dermsStatusCheck, ...change })
    expect(answer.status).toBe(400)
    expect(answer.body.MsgAck.responses.response[0].value).toContain(name)
  })

  test('describes its operations as an OpenAPI 3 document', async () => {
    expect((await call(`${root}/catalog`, 'GET')).body.services[0].url).toBe('/nms-drms/rest/v1/openapi.json')
    const { body } = await call(`${derms.url}/openapi.json`, 'GET')
    expect(body.openapi).toMatch(/^3\./)
    expect(body.paths['/enroll'].post.operationId).toBe('enroll')
    expect(body.paths['/status-check'].post.operationId).toBe('statusCheck')
    const schema = body.paths['/status-check'].post.requestBody.content['application/json'].schema
    expect(schema.properties.DeviceInfo.required).toEqual(['headEndSystem', 'nicid'])
  })

  test('checks bearer tokens of its issuer only, and none when it has no key', async () => {
    await using issuer = await startTokenIssuer({ audience: 'derms' })
    await using guarded = await startDermsSimulator({ auth: { bearer: issuer.simulator.verify } })
    await using keyless = await startDermsSimulator({ auth: { basic: { username: 'nms', password: 'x' } } })
    const status = async (url: string, token: string) =>
      (await call(`${url}/enroll`, 'POST', dermsEnrollment, { authorization: `Bearer ${token}` })).status
    const good = await issuer.simulator.issue()
    expect(await status(guarded.url, good)).toBe(200)
    expect(await status(guarded.url, await issuer.simulator.issue({ audience: 'dacs' }))).toBe(401)
    expect(await status(guarded.url, await issuer.simulator.issue({ lifetimeS: -60 }))).toBe(401)
    expect(await status(keyless.url, good)).toBe(401)
  })
})

describe('outbound message table', () => {
  const stage = examples['stage-status']
  const start = async (
    script: Parameters<typeof startStubIngress>,
    options: { maxRetries?: number; ackTimeoutMs?: number } = {},
  ) => {
    const ingress = await startStubIngress(...script)
    const started = await startDermsSimulator({
      ingress: { baseUrl: ingress.url, basic: { username: 'derms', password: 'secret' } },
      retryIntervalMs: 1,
      ...options,
    })
    const stack = new AsyncDisposableStack()
    stack.use(ingress)
    stack.use(started)
    return { ingress, url: started.url, derms: started.simulator, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  test.each([
    ['enrollment-request', 'enrollment-request.reply', 'SUCCESS'],
    ['enrollment-request', 'enrollment-request.reply-mixed', 'ERROR'],
    ['device-status-ack', 'device-status-ack.reply', 'SUCCESS'],
    ['stage-status', 'stage-status.reply', 'SUCCESS'],
    ['stage-status', 'stage-status.refused-reply', 'ERROR'],
  ] as const)('of %s reads the acknowledgment %s', async (flow, reply, status) => {
    await using site = await start([() => Response.json(examples[reply])])
    expect(await site.derms.send(flow, examples[flow])).toMatchObject({ status, done: true })
  })

  test.each(['SUCCESS', 'ERROR'])('ends with %s and does not resend', async (ackType) => {
    await using site = await start([ack(ackType)])
    const row = await site.derms.send('stage-status', stage)
    expect(row).toMatchObject({ status: ackType, numRetries: 0, done: true })
    expect(site.ingress.requests).toMatchObject([
      { authorization: `Basic ${Buffer.from('derms:secret').toString('base64')}` },
    ])
    expect(site.ingress.requests[0]?.path).toMatch(/\/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD\/1.0\/statusUpdate$/)
  })

  test('resends the same bytes after FAILURE, an error status, and an unreadable acknowledgment', async () => {
    await using site = await start(
      [
        ack('FAILURE'),
        () => new Response(null, { status: 503 }),
        () => Response.json({ ackType: 'SUCCESS' }),
        ack('SUCCESS'),
      ],
      { maxRetries: 5 },
    )
    const row = await site.derms.send('stage-status', stage)
    expect(row.answers).toHaveLength(1)
    await site.derms.whenDone(row.id)
    expect(row).toMatchObject({ status: 'SUCCESS', numRetries: 3 })
    expect(row.answers.map(({ status }) => status)).toEqual([200, 503, 200, 200])
    expect(new Set(site.ingress.requests.map(({ text }) => text)).size).toBe(1)
  })

  test('stops at MAX_RETRIES in state FAIL until an operator resends', async () => {
    await using site = await start([ack('FAILURE'), ack('FAILURE'), ack('FAILURE'), ack('SUCCESS')], { maxRetries: 2 })
    const row = await site.derms.send('stage-status', stage)
    await site.derms.whenDone(row.id)
    expect(row).toMatchObject({ status: 'FAIL', numRetries: 2, done: true })
    expect(site.ingress.requests).toHaveLength(3)
    await site.derms.resend(row.id)
    expect(row).toMatchObject({ status: 'SUCCESS', numRetries: 0 })
    await expect(site.derms.resend(99)).rejects.toThrow(RangeError)
  })

  const accepted = () => new Response(null, { status: 202 })
  const file = { name: 'o "1".csv', content: 'a,b\n' }
  const outcome = examples['event-outcome']

  test('of a file waits for its call-back, and sends the same bytes again after a refusal and after FAILURE', async () => {
    await using site = await start([() => new Response(null, { status: 503 }), accepted, accepted], { maxRetries: 5 })
    const row = await site.derms.sendFile('event-outcome', outcome, file)
    const tell = (ackType: string, id = outcome.messageId) => {
      const whenISO = '2024-09-01T21:00:00Z'
      const response = [{ id, responseCode: ackType, responseTimeISO: whenISO }]
      return call(`${site.url}/device-outcome-ack`, 'POST', { MsgAck: { ackType, whenISO, responses: { response } } })
    }
    await vi.waitFor(() =>
      expect(row).toMatchObject({ status: 'WAITING', done: false, file: file.name, numRetries: 1 }),
    )
    expect((await tell('FAILURE')).status).toBe(200)
    await vi.waitFor(() => expect(row).toMatchObject({ status: 'WAITING', numRetries: 2 }))
    expect((await tell('SUCCESS', 'OUT-9')).status).toBe(400)
    expect((await tell('SUCCESS')).status).toBe(200)
    expect(row).toMatchObject({ status: 'SUCCESS', done: true, acks: [{ ackType: 'FAILURE' }, { ackType: 'SUCCESS' }] })
    expect(site.ingress.requests).toHaveLength(3)
    expect(new Set(site.ingress.requests.map(({ text }) => text)).size).toBe(1)
    expect(site.ingress.requests[0]?.text).toContain('filename="o \\"1\\".csv"\r\n\r\na,b\n\r\n--')
  })

  test('takes a file that nobody acknowledges for failed', async () => {
    await using site = await start([accepted, accepted], { maxRetries: 1, ackTimeoutMs: 5 })
    const { id } = await site.derms.sendFile('event-outcome', outcome, file)
    expect(await site.derms.whenDone(id)).toMatchObject({ status: 'FAIL', numRetries: 1, acks: [] })
    expect(site.ingress.requests).toHaveLength(2)
  })

  test('counts an error of transport as FAIL', async () => {
    await using site = await start([], { maxRetries: 0 })
    await site.ingress[Symbol.asyncDispose]()
    const row = await site.derms.send('enrollment-request', { params: [] })
    expect(row).toMatchObject({ status: 'FAIL', done: true, answers: [{ error: 'ECONNREFUSED' }] })
  })

  test('sends tokens of an issuer', async () => {
    await using issuer = await startTokenIssuer()
    await using site = await start([ack('SUCCESS')])
    const oauth2 = { tokenUrl: `${issuer.url}/token`, clientId: 'derms', clientSecret: 'x' }
    await call(`${derms.url}/control/ingress`, 'POST', { baseUrl: site.ingress.url, oauth2 })
    const row = await simulator.send('stage-status', stage)
    expect(row.status).toBe('SUCCESS')
    expect(await issuer.simulator.verify(site.ingress.requests[0]?.authorization?.slice(7) ?? '')).toBe(true)
  })

  test('acknowledges what it received: F2 by F3, F4 by F5', async () => {
    await using site = await start([])
    site.derms.pointAt({ baseUrl: site.ingress.url })
    const receive = (path: string, body: object) =>
      site.derms.app.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await receive('/enroll', { ...dermsEnrollment, contactInfo: {} })
    await receive('/status-check', dermsStatusCheck)

    const sync = await site.derms.acknowledge(syncRequestId)
    expect(sync).toMatchObject({ flow: 'enrollment-sync-ack', status: 'SUCCESS', answers: [{ status: 202 }] })
    expect(JSON.parse(site.ingress.requests[0]?.text ?? '')).toMatchObject({
      MsgAck: {
        ackType: 'ERROR',
        responses: { response: [{ dacsMessageId: syncRequestId, responseCode: 'ERROR', value: expect.any(String) }] },
      },
    })
    await site.derms.acknowledge(communicationId, { responseCode: 'FAILURE' })
    expect(JSON.parse(site.ingress.requests[1]?.text ?? '')).toEqual({
      dacsMessageId: communicationId,
      responseCode: 'FAILURE',
    })
    await expect(site.derms.acknowledge('unknown')).rejects.toThrow(RangeError)
  })

  test('acknowledges by itself when set up so, a repeat not again', async () => {
    await using ingress = await startStubIngress()
    await using auto = await startDermsSimulator({ acknowledgeAfterMs: 0, ingress: { baseUrl: ingress.url } })
    await call(`${auto.url}/enroll`, 'POST', dermsEnrollment)
    await call(`${auto.url}/enroll`, 'POST', dermsEnrollment)
    await call(`${auto.url}/status-check`, 'POST', dermsStatusCheck)
    await expect.poll(() => ingress.requests.length).toBe(2)
    expect(auto.simulator.outbound.map(({ flow }) => flow)).toEqual(['enrollment-sync-ack', 'device-status-ack'])
  })

  test('is driven over HTTP', async () => {
    await using ingress = await startStubIngress(ack('SUCCESS'))
    const control = (path: string, body: unknown) => call(`${derms.url}/control/${path}`, 'POST', body)
    await control('ingress', { baseUrl: ingress.url })
    await enroll(dermsEnrollment)
    expect((await control('send', { flow: 'stage-status', body: stage })).body).toMatchObject({ status: 'SUCCESS' })
    expect((await control('resend', { id: 1 })).body).toMatchObject({ answers: [{}, {}] })
    expect((await control('acknowledge', { dacsMessageId: syncRequestId, responseCode: 'ERROR' })).body).toMatchObject({
      flow: 'enrollment-sync-ack',
      body: { MsgAck: { ackType: 'ERROR' } },
    })
    expect((await control('resend', { id: 7 })).status).toBe(400)
    expect((await call(`${derms.url}/control/state`, 'GET')).body.outbound).toHaveLength(2)
  })
})
