import { examples } from '@tieline/contracts/examples'
import { deviceStatusAck, readDeviceStatusAnswer } from '@tieline/contracts/messages/device-status-ack'
import { deviceStatusCheck } from '@tieline/contracts/messages/device-status-check'
import { enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { renderMsgAck, usualMsgAckForm } from '@tieline/contracts/msg-ack'
import { describe, expect, test } from 'vitest'
import { toDacsDeviceStatus, toDeviceStatusResponse } from '../src/mappings/device-status-ack.ts'
import { toDermsStatusCheck } from '../src/mappings/device-status-check.ts'
import { toDacsSyncUpdate } from '../src/mappings/enrollment-sync-ack.ts'
import { lookupsWith } from './lookups.ts'
import { nested } from './paths.ts'

describe('enrollment sync acknowledgment to DACS', () => {
  const lookups = lookupsWith()
  const map = (response: object, ackType = 'SUCCESS', tables = lookups) => {
    const ack = enrollmentSyncAck.parse({ ackType, responses: [{ dacsMessageId: '265', ...response }] })
    return ack.responses.map((read) => toDacsSyncUpdate(read, tables)['F1-UpdateSyncRequest'])[0]
  }
  const exception = { sequence: 1, messageCategory: 11114, messageNumber: 31002 }
  const text = (comments: string, parameter = comments) => ({
    comments,
    messageParameters: [{ parameterSequence: 1, messageParameterValue: parameter }],
  })

  test.each([
    ['SUCCESS is no error', { responseCode: 'SUCCESS', value: 'all fine' }, 'ERROR', false],
    ['SUCCESS is no error in any case', { responseCode: 'Success' }, 'ERROR', false],
    ['ERROR is an error', { responseCode: 'ERROR' }, 'SUCCESS', true],
    ['FAILURE is an error', { responseCode: 'FAILURE' }, 'SUCCESS', true],
    ['any other code is an error', { responseCode: 'PARTLY' }, 'SUCCESS', true],
    ['without a code the whole message speaks: SUCCESS', {}, 'SUCCESS', false],
    ['without a code the whole message speaks: ERROR', {}, 'ERROR', true],
  ])('%s', (_, response, ackType, hasError) => {
    expect(map(response, ackType)).toEqual({
      syncRequestId: '265',
      hasError,
      ...(hasError && { exceptionInfo: [exception] }),
    })
  })

  test("DERMS' text goes along, cut to what DACS takes", () => {
    expect(map({ responseCode: 'ERROR', value: 'no person' })?.exceptionInfo).toEqual([
      { ...exception, ...text('no person') },
    ])
    const long = 'x'.repeat(2500)
    expect(map({ responseCode: 'ERROR', value: long })?.exceptionInfo).toEqual([
      { ...exception, ...text(long.slice(0, 254), long.slice(0, 2000)) },
    ])
  })

  test('a cut leaves no half character', () => {
    const [cut] = map({ responseCode: 'ERROR', value: `${'x'.repeat(253)}🔋` })?.exceptionInfo ?? []
    expect(cut?.comments).toBe(`${'x'.repeat(253)}\uFFFD`)
  })

  test('category and number are the configured ones', () => {
    const own = lookupsWith({
      ConfigProps: [
        { PropertyName: 'dacs.error.ack.messagecategory', Value: '11' },
        { PropertyName: 'dacs.error.ack.messagenumber', Value: '-12' },
      ],
    })
    expect(map({ responseCode: 'ERROR' }, 'ERROR', own)?.exceptionInfo).toEqual([
      { sequence: 1, messageCategory: 11, messageNumber: -12 },
    ])
  })

  test.each([
    ['enrollment-sync-ack', 'enrollment-sync-ack.to-dacs'],
    ['enrollment-sync-ack.error', 'enrollment-sync-ack.error-to-dacs'],
  ] as const)('golden %s becomes golden %s', (source, target) => {
    const { responses } = enrollmentSyncAck.parse(examples[source])
    expect(responses.map((response) => toDacsSyncUpdate(response, lookups))).toEqual([examples[target]])
  })
})

describe('device status check to DERMS', () => {
  const map = (leaves: Record<string, unknown>) =>
    toDermsStatusCheck(
      deviceStatusCheck.parse({ sendDetails: { communicationId: '882', deviceInfo: {}, ...nested(leaves) } }),
    )

  test.each([
    ['deviceInfo.division', 'CA', { division: 'CA' }],
    ['deviceInfo.deviceType', 'SMART THERMOSTAT', { deviceType: 'SMART THERMOSTAT' }],
    ['deviceInfo.specification', 'EST_G3_SPEC', { specification: 'EST_G3_SPEC' }],
    ['deviceInfo.headEndSystem', 'NEST', { headEndSystem: 'NEST' }],
    ['deviceInfo.nicid', 'NIC-0001', { nicid: 'NIC-0001' }],
    ['deviceInfo.nicid', '', { nicid: '' }],
    ['deviceInfo.nicid', null, { nicid: null }],
    ['deviceInfo.firmware', '1.2', {}],
  ])('%s %j', (source, value, device) => {
    expect(map({ [source]: value })).toEqual({ dacsMessageId: '882', DeviceInfo: device })
  })

  test("DACS' golden question becomes DERMS' golden question", () => {
    const mapped = toDermsStatusCheck(deviceStatusCheck.parse(examples['device-status-check']))
    expect(mapped).toEqual(examples['device-status-check.to-derms'])
  })
})

describe('device status', () => {
  test.each(['SUCCESS', 'FAILURE', 'OTHER'])('the code %s goes to DACS as it is', (responseCode) => {
    expect(toDacsDeviceStatus({ dacsMessageId: '882', responseCode })).toEqual({
      responseDetail: { transactionID: '882', result: { status: responseCode } },
    })
  })

  test.each([
    ['the state of DACS', { boStatus: 'COMPLETE', communicationId: '883' }, 'COMPLETE', '883'],
    ['our id when DACS names none', { boStatus: 'COMPLETE' }, 'COMPLETE', '882'],
    ['SUCCESS when DACS names no state', {}, 'SUCCESS', '882'],
  ])('the reply has %s', (_, answer, responseCode, dacsMessageId) => {
    const responseTimeISO = '2024-09-01T18:02:00.000Z'
    expect(toDeviceStatusResponse(answer, '882', responseTimeISO)).toEqual({
      responseCode,
      responseTimeISO,
      dacsMessageId,
    })
  })

  test('the golden status and the golden answer become the golden messages', () => {
    const ack = deviceStatusAck.parse(examples['device-status-ack'])
    expect(toDacsDeviceStatus(ack)).toEqual(examples['device-status-ack.to-dacs'])
    const time = '2024-09-01T18:02:00.000Z'
    const answer = readDeviceStatusAnswer(examples['device-status-ack.dacs-answer'])
    const responses = [toDeviceStatusResponse(answer, ack.dacsMessageId, time)]
    const reply = renderMsgAck({ ackType: 'SUCCESS', whenISO: time, responses }, usualMsgAckForm)
    expect(reply).toEqual(examples['device-status-ack.reply'])
  })
})
