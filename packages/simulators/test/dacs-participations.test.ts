import { examples } from '@tieline/contracts/examples'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startDacsSimulator } from '../src/start.ts'
import { call } from './call.ts'
import { programEvent } from './samples.ts'

const dacs = await startDacsSimulator()
const { simulator } = dacs
const root = `${dacs.url}/rest/apis/cross/service/programEvent`
const create = (body: unknown) => call(`${root}/`, 'POST', body)
const post = (operation: string, body: unknown) => call(`${root}Participation/${operation}`, 'POST', body)
const reserve = (body: unknown) => post('reserveDevice', body)
const report = (...postOutcomeList: object[]) => post('postEventOutcome', { postOutcomeList })
const reservation = examples['event-reservation.to-dacs']
const [outcome] = examples['event-outcome.to-dacs'].postOutcomeList

beforeEach(() => simulator.reset())
afterAll(() => dacs[Symbol.asyncDispose]())

test('reserves devices for a program event, and a repeat updates them', async () => {
  await create(programEvent)
  expect((await reserve(reservation)).status).toBe(200)
  expect((await reserve(reservation)).status).toBe(200)
  expect(simulator.received.map(({ applied }) => applied)).toEqual([true, true, false])
  expect([...simulator.participations.keys()]).toEqual(['1315 NEST NIC-0001', '1315 Ecobee NIC-0002'])
  expect(simulator.participations.get('1315 Ecobee NIC-0002')).toMatchObject({ reserved: 2, reported: 0 })
})

test('keeps outcomes by event and device, also of the event that has one stage only', async () => {
  await create(programEvent)
  expect((await report({ ...outcome, eventExternalIdentifier: '1301' })).status).toBe(200)
  expect(simulator.participations.get('1315 NEST NIC-0001')?.outcome).toMatchObject({ outcome: 'D1SP' })
})

test.each([
  ['does not exist', () => reserve({ ...reservation, eventExternalIdentifier: '9' })],
  ['deviceList', () => reserve({ ...reservation, deviceList: [] })],
  ['deviceList.0.nicId', () => reserve({ ...reservation, deviceList: [{ headEndSystem: 'NEST' }] })],
  [
    'reservationStartDateTime',
    () => reserve({ ...reservation, deviceList: [{ nicId: 'N', headEndSystem: 'H', reservationStartDateTime: '' }] }),
  ],
  ['postOutcomeList.0.outcome', () => report({ ...outcome, outcome: 'SUCCESS' })],
  ['postOutcomeList.0.errorMessage', () => report({ ...outcome, outcome: 'D1ER', errorMessage: 'x'.repeat(101) })],
  ['not for a success', () => report({ ...outcome, errorMessage: 'none' })],
])('refuses with 400: %s', async (detail, send) => {
  await create(programEvent)
  const answer = await send()
  expect(answer.status).toBe(400)
  expect(answer.body.problemDetailDocument.detail).toContain(detail)
  expect(simulator.participations.size).toBe(0)
})

test('lets a fault hit the calls alone that hold a text, and a caller wait', async () => {
  await create(programEvent)
  simulator.failNext({ operation: 'reserveDevice', status: 500, containing: 'NIC-0009' })
  simulator.stallNext({ operation: 'reserveDevice', containing: 'NIC-0001', ms: 1 })
  expect((await reserve(reservation)).status).toBe(200)
  const other = { ...reservation, deviceList: [{ nicId: 'NIC-0009', headEndSystem: 'NEST' }] }
  expect((await reserve(other)).status).toBe(500)
  expect((await reserve(other)).status).toBe(200)
})
