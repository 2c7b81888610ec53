import { examples } from '@tieline/contracts/examples'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startDacsSimulator } from '../src/start.ts'
import { call } from './call.ts'
import { acknowledgment, communicationId, deviceStatus, syncRequestId } from './samples.ts'
import { externalId, startStubIngress } from './stub-ingress.ts'

const dacs = await startDacsSimulator()
const { simulator } = dacs
const credentials = { username: 'dacs', password: 'secret' }
const sync = examples['enrollment-sync']
const check = examples['device-status-check']

beforeEach(() => simulator.reset())
afterAll(() => dacs[Symbol.asyncDispose]())

test('sends F2 to the URL installations have today, with Basic credentials, and awaits its acknowledgment', async () => {
  await using ingress = await startStubIngress(externalId(syncRequestId))
  simulator.pointAt({ baseUrl: ingress.url, basic: credentials })
  const answer = await simulator.send('enrollment-sync', sync)
  expect(answer).toMatchObject({ status: 200, body: { responseDetails: { externalId: syncRequestId } } })
  expect(ingress.requests).toEqual([
    {
      path: '/ic/api/integration/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS/OUTL-BA-DACS_DRMS_ENROLL_SYNC/1.0/enroll',
      authorization: `Basic ${Buffer.from('dacs:secret').toString('base64')}`,
      text: JSON.stringify(sync),
    },
  ])
  expect(simulator.syncRequests.get(syncRequestId)).toMatchObject({ state: 'PENDING', accepted: true })
  const url = `${dacs.url}/rest/apis/common/sync/syncRequest/${syncRequestId}`
  expect((await call(url, 'PATCH', acknowledgment(syncRequestId))).status).toBe(200)
})

test('sends F4 and takes a response that overtakes the reply', async () => {
  const url = `${dacs.url}/rest/apis/cross/digitalAssets/controllableDeviceStatus/response`
  await using ingress = await startStubIngress(async () => {
    await call(url, 'POST', deviceStatus(communicationId))
    return externalId(communicationId)()
  })
  simulator.pointAt({
    baseUrl: ingress.url,
    basic: credentials,
    paths: { 'device-status-check': '/dacs/deviceStatusCheck' },
  })
  await simulator.send('device-status-check', check)
  expect(ingress.requests[0]?.path).toBe('/dacs/deviceStatusCheck')
  expect(simulator.communications.get(communicationId)?.state).toBe('COMPLETE')
})

test('awaits the response of an answered F4', async () => {
  await using ingress = await startStubIngress(externalId(communicationId))
  simulator.pointAt({ baseUrl: ingress.url })
  await simulator.send('device-status-check', check)
  expect(simulator.communications.get(communicationId)?.state).toBe('AWAITRESP')
})

test('is not accepted by a fault or by a foreign id, and sends the same again', async () => {
  const fault = { title: 'Internal Server Error', 'o:errorCode': '500' }
  await using ingress = await startStubIngress(
    () => Response.json(fault, { status: 500 }),
    externalId('another'),
    externalId(syncRequestId),
  )
  simulator.pointAt({ baseUrl: ingress.url })
  expect(await simulator.send('enrollment-sync', sync)).toMatchObject({ status: 500, body: fault })
  await simulator.resend(syncRequestId)
  expect(simulator.syncRequests.get(syncRequestId)?.accepted).toBe(false)
  await simulator.resend(syncRequestId)
  expect(simulator.syncRequests.get(syncRequestId)?.accepted).toBe(true)
  expect(new Set(ingress.requests.map(({ text }) => text))).toEqual(new Set([JSON.stringify(sync)]))
  expect(simulator.sent).toMatchObject([
    { id: syncRequestId, answers: [{ status: 500 }, { status: 200 }, { status: 200 }] },
  ])
  expect(() => simulator.resend('unknown')).toThrow(RangeError)
})

test('records why there was no answer', async () => {
  expect(await simulator.send('enrollment-sync', sync)).toMatchObject({ status: undefined, error: expect.any(String) })
  const gone = await startStubIngress()
  await gone[Symbol.asyncDispose]()
  simulator.pointAt({ baseUrl: gone.url })
  expect(await simulator.send('enrollment-sync', sync)).toMatchObject({ status: undefined, error: 'ECONNREFUSED' })
})

test('is driven over HTTP', async () => {
  await using ingress = await startStubIngress(externalId(syncRequestId))
  const control = (path: string, body: unknown) => call(`${dacs.url}/control/${path}`, 'POST', body)
  await control('ingress', { baseUrl: ingress.url, basic: credentials })
  expect((await control('send', { flow: 'enrollment-sync', body: sync })).body).toMatchObject({ status: 200 })
  expect((await control('resend', { id: syncRequestId })).body).toMatchObject({ status: 200 })
  expect((await control('resend', { id: 'unknown' })).status).toBe(400)
  expect((await control('send', { flow: 'stage-status', body: {} })).status).toBe(400)
  await control('register', { communicationId })
  await control('programs', { code: 'WINTER' })
  await control('health', { status: 203 })
  expect((await call(`${dacs.url}/rest/apis/common/system/healthCheck/`, 'GET')).status).toBe(203)
  const { body } = await call(`${dacs.url}/control/state`, 'GET')
  expect(body).toMatchObject({ communications: [{ communicationId }], sent: [{ answers: [{}, {}] }] })
})
