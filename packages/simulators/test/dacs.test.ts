import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startDacsSimulator } from '../src/start.ts'
import { call } from './call.ts'
import { acknowledgment, communicationId, deviceStatus, enrollment, programEvent, syncRequestId } from './samples.ts'

const dacs = await startDacsSimulator()
const { simulator } = dacs
const root = `${dacs.url}/rest/apis`
const enroll = (body: unknown) => call(`${root}/cross/digitalAssets/programEnrollments/enroll`, 'POST', body)
const update = (id: string, body: unknown) => call(`${root}/common/sync/syncRequest/${id}`, 'PATCH', body)
const respond = (body: unknown) => call(`${root}/cross/digitalAssets/controllableDeviceStatus/response`, 'POST', body)
const create = (body: unknown) => call(`${root}/cross/service/programEvent/`, 'POST', body)
const act = (body: unknown) => call(`${root}/cross/service/programEvent/lifecycle`, 'POST', body)
const health = () => call(`${root}/common/system/healthCheck/`, 'GET')
const detailOf = (answer: { body: { problemDetailDocument: { detail: string } } }) =>
  answer.body.problemDetailDocument.detail

beforeEach(() => simulator.reset())
afterAll(() => dacs[Symbol.asyncDispose]())

describe('enrollment', () => {
  test('answers PENDING with an enrollment id of its own', async () => {
    const first = await enroll(enrollment)
    const second = await enroll({ ...enrollment, transactionId: 'T-2' })
    expect(first).toMatchObject({ status: 200, body: { 'X1-DAEnroll': { transactionId: 'DR-ENR-000123' } } })
    expect(first.body['X1-DAEnroll'].status).toBe('PENDING')
    expect(first.body['X1-DAEnroll'].enrollmentId).toMatch(/^\d{14}$/)
    expect(second.body['X1-DAEnroll'].enrollmentId).not.toBe(first.body['X1-DAEnroll'].enrollmentId)
  })

  test('answers a repeat of an accepted transaction with message 10589 and keeps the first', async () => {
    await enroll(enrollment)
    const repeat = await enroll({ ...enrollment, enrollmentSource: 'X1CC' })
    expect(repeat.status).toBe(400)
    expect(repeat.body).toHaveProperty('problemDetailDocument.serverMessage.messageNumber', 10589)
    expect(simulator.enrollments.get('DR-ENR-000123')?.enrollmentSource).toBe('X1BY')
  })

  test('takes a refused transaction id again', async () => {
    expect((await enroll({ ...enrollment, enrollmentSource: 'XXXX' })).status).toBe(400)
    expect((await enroll(enrollment)).status).toBe(200)
  })

  const { customerInfo, programInfo, locationInfo, assetInfo } = enrollment
  const [asset] = assetInfo.assetList
  const assets = (change: object) => ({ assetInfo: { ...assetInfo, assetList: [asset, { ...asset, ...change }] } })
  test.each([
    ['Program code UNKNOWN', { programInfo: { ...programInfo, programCode: 'UNKNOWN' } }],
    ['Specification HUE!1', assets({ specification: 'HUE!1' })],
    ['Asset type LAMP', assets({ assetType: 'LAMP' })],
    ['transactionId', { transactionId: '' }],
    ['transactionId', { transactionId: 'x'.repeat(121) }],
    ['enrollmentSource', { enrollmentSource: undefined }],
    ['customerInfo.email', { customerInfo: { ...customerInfo, email: 'e'.repeat(255) } }],
    ['customerInfo.cisAccountId', { customerInfo: { cisPersonId: '1' } }],
    ['programInfo.startDate', { programInfo: { ...programInfo, startDate: '2024-09-01T00:00:00Z' } }],
    ['locationInfo.country', { locationInfo: { ...locationInfo, country: 'USAX' } }],
    ['locationInfo.cisPremiseId', { locationInfo: { division: 'CA' } }],
    ['assetInfo.installationMethod', { assetInfo: { ...assetInfo, installationMethod: 'X1RE' } }],
    ['assetInfo.assetList.1.specification', assets({ specification: undefined })],
    ['assetInfo.assetList.1.assetType', assets({ assetType: '' })],
    ['assetInfo.assetList.1.nicId', assets({ nicId: undefined })],
    ['assetInfo.assetList.1.headEndSystem', assets({ headEndSystem: undefined })],
    ['drmsInstanceId', { drmsInstanceId: 'SITE1' }],
  ])('refuses with 400 naming %s', async (name, change) => {
    const answer = await enroll({ ...enrollment, ...change })
    expect(answer.status).toBe(400)
    expect(detailOf(answer)).toContain(name)
    expect(detailOf(answer)).toMatch(/^<!\[CDATA\[/)
    expect(simulator.enrollments.size).toBe(0)
  })

  test('asks for the device data only of customer-owned devices that the customer brings', async () => {
    const shipped = { installationMethod: 'X1SD', assetOwnership: 'W1OW', assetList: [{ sequence: 1 }] }
    expect((await enroll({ ...enrollment, assetInfo: shipped })).status).toBe(200)
  })

  test('knows a program once it is set up', async () => {
    const change = { ...enrollment, programInfo: { programCode: 'WINTER' } }
    expect((await enroll(change)).status).toBe(400)
    simulator.addProgram('WINTER')
    expect((await enroll(change)).status).toBe(200)
  })
})

describe('sync request', () => {
  test.each([
    [false, 'COMPLETED'],
    [true, 'EXCEPTION'],
  ] as const)('moves on when acknowledged with hasError %s', async (hasError, state) => {
    simulator.register({ syncRequestId })
    const body = acknowledgment(syncRequestId, hasError)
    const answer = await update(syncRequestId, body)
    expect(answer).toMatchObject({ status: 200, body: { UPDATE_response: body } })
    expect(simulator.syncRequests.get(syncRequestId)?.state).toBe(state)
  })

  test('takes a repeat without an effect and refuses a contradiction', async () => {
    simulator.register({ syncRequestId })
    await update(syncRequestId, acknowledgment(syncRequestId))
    expect((await update(syncRequestId, acknowledgment(syncRequestId))).status).toBe(200)
    expect((await update(syncRequestId, acknowledgment(syncRequestId, true))).status).toBe(400)
    expect(simulator.received.map(({ applied }) => applied)).toEqual([true, false, false])
    expect(simulator.syncRequests.get(syncRequestId)?.state).toBe('COMPLETED')
  })

  const parameter = { parameterSequence: 1, messageParameterValue: 'x' }
  const exception = (change: object) => ({
    'F1-UpdateSyncRequest': {
      syncRequestId,
      hasError: true,
      exceptionInfo: [{ sequence: 1, messageCategory: 11114, messageNumber: 31002, ...change }],
    },
  })
  test.each([
    ['does not exist', acknowledgment('99999999999999'), '99999999999999'],
    ['differs from the path', acknowledgment(syncRequestId), '99999999999999'],
    ['F1-UpdateSyncRequest', { syncRequestId, hasError: false }, syncRequestId],
    ['hasError', { 'F1-UpdateSyncRequest': { syncRequestId, hasError: 'false' } }, syncRequestId],
    ['syncRequestId', acknowledgment('123456789012345'), '123456789012345'],
    ['comments', exception({ comments: 'c'.repeat(255) }), syncRequestId],
    ['messageNumber', exception({ messageNumber: 100_000 }), syncRequestId],
    ['messageParameters', exception({ messageParameters: Array(10).fill(parameter) }), syncRequestId],
  ])('refuses with 400: %s', async (name, body, id) => {
    simulator.register({ syncRequestId })
    const answer = await update(id, body)
    expect(answer.status).toBe(400)
    expect(detailOf(answer)).toContain(name)
    expect(simulator.syncRequests.get(syncRequestId)?.state).toBe('PENDING')
  })

  test('takes acknowledgments of what it never sent when set up so', async () => {
    await using open = await startDacsSimulator({ acceptUnknown: true, responseRoots: false })
    const url = `${open.url}/rest/apis`
    const sync = await call(`${url}/common/sync/syncRequest/1`, 'PATCH', acknowledgment('1'))
    const status = await call(`${url}/cross/digitalAssets/controllableDeviceStatus/response`, 'POST', deviceStatus('c'))
    expect(sync.status).toBe(200)
    expect(status).toMatchObject({ status: 200, body: { boStatus: 'COMPLETE', communicationId: 'c' } })
  })
})

describe('device status response', () => {
  test.each([
    ['SUCCESS', 'COMPLETE'],
    ['FAILURE', 'ERROR'],
  ])('answers the state after %s', async (status, boStatus) => {
    simulator.register({ communicationId })
    const answer = await respond(deviceStatus(communicationId, status))
    expect(answer).toMatchObject({ status: 200, body: { 'X1-CDStsChkR': { boStatus, communicationId } } })
    expect(simulator.communications.get(communicationId)?.state).toBe(boStatus)
  })

  test('takes a repeat without an effect and refuses a contradiction', async () => {
    simulator.register({ communicationId })
    await respond(deviceStatus(communicationId))
    expect((await respond(deviceStatus(communicationId))).status).toBe(200)
    expect((await respond(deviceStatus(communicationId, 'FAILURE'))).status).toBe(400)
    expect(simulator.received.map(({ applied }) => applied)).toEqual([true, false, false])
  })

  test.each([
    ['does not exist', deviceStatus('another')],
    ['transactionID', deviceStatus('x'.repeat(31))],
    ['transactionId', { responseDetail: { transactionId: communicationId, result: { status: 'SUCCESS' } } }],
    ['result.status', deviceStatus(communicationId, 'ERROR')],
    ['responseDetail', { transactionID: communicationId, result: { status: 'SUCCESS' } }],
  ])('refuses with 400: %s', async (name, body) => {
    simulator.register({ communicationId })
    const answer = await respond(body)
    expect(answer.status).toBe(400)
    expect(detailOf(answer)).toContain(name)
  })
})

describe('program event', () => {
  const step = (action: string, eventExternalIdentifier = '1315') => act({ eventExternalIdentifier, action })

  test('is created Scheduled, and echoed to an identical repeat', async () => {
    const first = await create(programEvent)
    const repeat = await create(programEvent)
    expect(first).toMatchObject({ status: 200, body: { ...programEvent, status: 'Scheduled' } })
    expect(repeat.body).toEqual(first.body)
    expect(simulator.received.map(({ applied }) => applied)).toEqual([true, false])
  })

  test('is refused when its identifier is taken by another', async () => {
    await create(programEvent)
    const answer = await create({ ...programEvent, programEventCategory: 'X1EM' })
    expect(answer.status).toBe(400)
    expect(simulator.programEvents.get('1315')?.request.programEventCategory).toBe('X1EC')
  })

  test.each([
    ['programEventCategory', { programEventCategory: 'ECONOMIC' }],
    ['startDateTime', { startDateTime: '2024-09-01T18:00:00' }],
    ['startDateTime', { startDateTime: '2024-09-01T18:00Z' }],
    ['startDateTime', { startDateTime: '2024-02-30T18:00:00Z' }],
    ['endDateTime', { endDateTime: '2024-09-01T18:00:00Z' }],
    ['externalIdentifier', { externalIdentifier: undefined }],
    ['eventExternalIdentifier', { eventExternalIdentifier: 'x'.repeat(121) }],
    ['Program WINTER', { programExternalIdentifier: 'WINTER' }],
    ['messageId', { messageId: 'STG-1' }],
  ])('is refused with 400 naming %s', async (name, change) => {
    const answer = await create({ ...programEvent, ...change })
    expect(answer.status).toBe(400)
    expect(detailOf(answer)).toContain(name)
    expect(simulator.programEvents.size).toBe(0)
  })

  // One row per state: the actions that lead there, then what each further action is answered.
  test.each([
    ['Scheduled', [], { X1SD: 200, X1IP: 200, F1CO: 400, F1CN: 200 }],
    ['In Progress', ['X1IP'], { X1SD: 400, X1IP: 200, F1CO: 200, F1CN: 200 }],
    ['Complete', ['X1IP', 'F1CO'], { X1SD: 400, X1IP: 400, F1CO: 200, F1CN: 400 }],
    ['Canceled', ['F1CN'], { X1SD: 400, X1IP: 400, F1CO: 400, F1CN: 200 }],
  ] as const)('in state %s keeps the transition table', async (state, path, answers) => {
    for (const [action, status] of Object.entries(answers)) {
      simulator.reset()
      await create(programEvent)
      for (const before of path) await step(before)
      expect(simulator.programEvents.get('1315')?.status).toBe(state)
      expect((await step(action)).status, action).toBe(status)
      const isRepeat = status === 200 && simulator.programEvents.get('1315')?.status === state
      const applied = status === 200 && !isRepeat ? [action] : []
      expect(simulator.programEvents.get('1315')?.history).toEqual(['X1SD', ...path, ...applied])
    }
  })

  test('answers an action with the next ones and keeps the reason of a cancellation', async () => {
    await create(programEvent)
    expect((await step('X1IP')).body).toMatchObject({
      X1ActPrgEvt: { action: 'X1IP', nextActions: [{ action: 'F1CO' }, { action: 'F1CN' }] },
    })
    await act({ eventExternalIdentifier: '1315', action: 'F1CN', cancelReason: 'Forecast changed' })
    expect(simulator.programEvents.get('1315')?.cancelReason).toBe('Forecast changed')
  })

  test('is found by its event only while that has a single stage', async () => {
    await create(programEvent)
    expect((await step('X1IP', '1301')).status).toBe(200)
    await create({ ...programEvent, externalIdentifier: '1316' })
    expect((await step('F1CO', '1301')).status).toBe(400)
    expect((await step('F1CO', '1315')).status).toBe(200)
  })

  test.each([
    ['does not exist', { eventExternalIdentifier: '9999', action: 'X1IP' }],
    ['action', { eventExternalIdentifier: '1315', action: 'IN_PROGRESS' }],
    ['cancelReason', { eventExternalIdentifier: '1315', action: 'F1CN', cancelReason: 'x'.repeat(255) }],
    ['cancelReason', { eventExternalIdentifier: '1315', action: 'X1IP', cancelReason: 'no' }],
    ['externalIdentifier', { externalIdentifier: '1315', action: 'X1IP' }],
  ])('refuses an action with 400: %s', async (name, body) => {
    await create(programEvent)
    const answer = await act(body)
    expect(answer.status).toBe(400)
    expect(detailOf(answer)).toContain(name)
    expect(simulator.programEvents.get('1315')?.status).toBe('Scheduled')
  })
})

describe('health check', () => {
  test.each([200, 203, 500] as const)('answers with its overall response %i', async (status) => {
    simulator.setHealth(status)
    const answer = await health()
    expect(answer).toMatchObject({ status, body: { 'F1-HealthCheck': { healthOverallResponse: status } } })
  })
})
