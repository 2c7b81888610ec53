import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { type Contract, type ContractName, contracts } from '../src/contracts.ts'
import { examples } from '../src/examples.ts'
import { readDeviceStatusAnswer } from '../src/messages/device-status-ack.ts'
import { dermsStatusCheck, deviceStatusCheck } from '../src/messages/device-status-check.ts'
import {
  dacsEnrollment,
  enrollmentRecord,
  enrollmentRequest,
  readEnrollmentAnswer,
} from '../src/messages/enrollment-request.ts'
import { dermsEnrollmentSync, enrollmentSync } from '../src/messages/enrollment-sync.ts'
import { dacsUpdateSyncRequest, enrollmentSyncAck } from '../src/messages/enrollment-sync-ack.ts'
import {
  dacsProgramEvent,
  dacsProgramEventAction,
  stageStatus,
  stageStatusCreate,
} from '../src/messages/stage-status.ts'
import { describeIssues } from '../src/problem.ts'

/** Paths and rules of a refusal; empty when the value is accepted. */
const faults = (schema: z.ZodType, value: unknown): string[] => {
  const { error } = schema.safeParse(value)
  return error === undefined ? [] : describeIssues(error).map(({ path, rule }) => `${path}: ${rule}`)
}

describe('golden examples', () => {
  const named = Object.entries<Contract>(contracts).flatMap(([name, contract]) =>
    contract.examples.map((example) => [example, name as ContractName] as const),
  )

  test.each(named)('%s keeps the contract %s', (example, name) => {
    expect(faults(contracts[name].schema, examples[example])).toEqual([])
  })

  test('are all listed, and each is kept to by a contract or a reader', () => {
    const files = readdirSync(new URL('../examples', import.meta.url))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''))
    expect(Object.keys(examples).sort()).toEqual(files.sort())
    const read = ['enrollment-request.dacs-answer', 'device-status-ack.dacs-answer']
    expect([...new Set([...named.map(([example]) => example as string), ...read])].sort()).toEqual(files.sort())
  })

  test('hold everything their contracts know', () => {
    for (const name of [
      'enrollment-request.to-dacs',
      'enrollment-sync.to-derms',
      'device-status-check.to-derms',
    ] as const) {
      expect(contracts[name].schema.parse(examples[name])).toEqual(examples[name])
    }
    expect(enrollmentSync.parse(examples['enrollment-sync'])).toEqual(examples['enrollment-sync'])
  })
})

const record = examples['enrollment-request'].params[0]

describe('enrollment request', () => {
  test('leaves its records unparsed, so that one bad record spoils no other', () => {
    expect(faults(enrollmentRequest, { params: [null, 1, {}], more: true })).toEqual([])
    expect(faults(enrollmentRequest, {})).toEqual(['params: expected array'])
  })

  test('takes a record of which only the id is given, or all the rest is empty', () => {
    expect(faults(enrollmentRecord, { messageId: 'M' })).toEqual([])
    const empty = { programCode: '', startDateTimeISO: '', cisServiceAgreementId: null }
    const assetInfo = { installationMethod: '', assetOwnership: null, assetList: [{ nicId: '', sequence: null }, {}] }
    expect(faults(enrollmentRecord, { messageId: 'M', customerInfo: null, programInfo: empty, assetInfo })).toEqual([])
  })

  test('drops unknown fields and never refuses for them', () => {
    const parsed = enrollmentRecord.parse({
      ...record,
      extra: 1,
      programInfo: { ...record?.programInfo, endDateTimeISO: 5 },
    })
    expect(parsed).toEqual(record)
  })

  test.each([
    [{ messageId: '' }, 'messageId: must not be empty'],
    [{ messageId: undefined }, 'messageId: expected string'],
    [{ messageId: 'x'.repeat(121) }, 'messageId: at most 120 characters'],
    [{ customerInfo: { name: 'x'.repeat(255) } }, 'customerInfo.name: at most 254 characters'],
    [{ customerInfo: { homePhone: '5'.repeat(25) } }, 'customerInfo.homePhone: at most 24 characters'],
    [{ programInfo: { startDateTimeISO: '2024-02-30T00:00:00Z' } }, 'programInfo.startDateTimeISO: expected date-time'],
    [{ locationInfo: { division: 'CALIFORNIA' } }, 'locationInfo.division: at most 5 characters'],
    [{ assetInfo: { installationMethod: 'X1RE' } }, 'assetInfo.installationMethod: one of X1SD, X1SI, X1UI'],
    [{ assetInfo: { assetList: [{ nicId: 'n'.repeat(101) }] } }, 'assetInfo.assetList.0.nicId: at most 100 characters'],
    [{ assetInfo: { assetList: [{ sequence: '1' }] } }, 'assetInfo.assetList.0.sequence: expected number'],
  ])('refuses a record with %j', (change, fault) => {
    expect(faults(enrollmentRecord, { ...record, ...change })).toEqual([fault])
  })

  test('sends DACS nothing empty and nothing unknown', () => {
    const good = examples['enrollment-request.to-dacs']
    expect(faults(dacsEnrollment, { transactionId: 'M', enrollmentSource: 'X1SS' })).toEqual([])
    expect(faults(dacsEnrollment, { ...good, extra: 1 })).toEqual([': unknown field'])
    expect(faults(dacsEnrollment, { ...good, customerInfo: { email: '' } })).toEqual([
      'customerInfo.email: must not be empty',
    ])
    expect(faults(dacsEnrollment, { ...good, programInfo: { startDate: '2024-02-30' } })).toEqual([
      'programInfo.startDate: expected date',
    ])
    expect(faults(dacsEnrollment, { ...good, enrollmentSource: '' })).toHaveLength(1)
  })

  test('reads the answer of DACS with and without its root', () => {
    const answer = { enrollmentId: '61938204477015', status: 'PENDING' }
    const golden = examples['enrollment-request.dacs-answer']
    expect(readEnrollmentAnswer(golden)).toEqual(answer)
    expect(readEnrollmentAnswer(golden['X1-DAEnroll'])).toEqual(answer)
    expect(readEnrollmentAnswer({ enrollmentId: 61938204477015 })).toEqual({ enrollmentId: '61938204477015' })
    expect(readEnrollmentAnswer({ 'X1-ProgramEnrollment': golden['X1-DAEnroll'] })).toEqual(answer)
    expect(readEnrollmentAnswer({ status: { enrollmentId: 1 } })).toEqual({})
    for (const body of [undefined, null, '', [], { 'X1-DAEnroll': null }, { status: {} }]) {
      expect(readEnrollmentAnswer(body)).toEqual({})
    }
  })
})

const sync = examples['enrollment-sync'].sendDetails

describe('enrollment sync', () => {
  test('keeps unknown fields of its inner objects', () => {
    const [device] = sync.locationInfo.controllableDevices
    const sendDetails = {
      ...sync,
      contactInfo: { ...sync.contactInfo, nickname: 'n' },
      subscriptionInfo: { ...sync.subscriptionInfo, tier: 2 },
      locationInfo: { ...sync.locationInfo, feeder: 'F', controllableDevices: [{ ...device, firmware: null }] },
    }
    expect(enrollmentSync.parse({ sendDetails })).toEqual({ sendDetails })
  })

  test.each([{ cisPersonId: null }, { cisPersonId: '' }, {}, null])(
    'leaves a missing person to DERMS: %j',
    (contactInfo) => {
      expect(faults(enrollmentSync, { sendDetails: { ...sync, contactInfo } })).toEqual([])
      expect(faults(dermsEnrollmentSync, { dacsMessageId: '1', contactInfo })).toEqual([])
    },
  )

  test.each([
    [{ syncRequestId: '1'.repeat(15) }, 'sendDetails.syncRequestId: at most 14 characters'],
    [{ syncRequestId: null }, 'sendDetails.syncRequestId: expected string'],
    [
      { subscriptionInfo: { startDateTime: '01.09.2024' } },
      'sendDetails.subscriptionInfo.startDateTime: expected date-time',
    ],
    [{ subscriptionInfo: { status: 'x'.repeat(13) } }, 'sendDetails.subscriptionInfo.status: at most 12 characters'],
    [{ locationInfo: { controllableDevices: {} } }, 'sendDetails.locationInfo.controllableDevices: expected array'],
  ])('refuses %j', (change, fault) => {
    expect(faults(enrollmentSync, { sendDetails: { ...sync, ...change } })).toEqual([fault])
  })

  test('sends DERMS times in UTC or empty, and no unknown root field', () => {
    const good = examples['enrollment-sync.to-derms']
    const at = (startDateTimeISO: string) => ({ ...good, subscriptionInfo: { startDateTimeISO } })
    expect(faults(dermsEnrollmentSync, at(''))).toEqual([])
    expect(faults(dermsEnrollmentSync, at('2024-09-01T00:00:00-07:00'))).toEqual([
      'subscriptionInfo.startDateTimeISO: expected date-time',
    ])
    expect(faults(dermsEnrollmentSync, { ...good, syncRequestId: '1' })).toEqual([': unknown field'])
  })
})

describe('enrollment sync acknowledgment', () => {
  const response = { dacsMessageId: '26550147098960' }

  test('is read in every form of MsgAck', () => {
    const parsed = {
      ackType: 'SUCCESS',
      whenISO: '',
      responses: [{ ...response, responseCode: 'SUCCESS', responseTimeISO: '' }],
    }
    for (const responses of [[response], { response }, { response: [{ ...response, more: 1 }] }]) {
      expect(enrollmentSyncAck.parse({ ackType: 'SUCCESS', responses })).toEqual(parsed)
      expect(enrollmentSyncAck.parse({ MsgAck: { ackType: 'SUCCESS', responses } })).toEqual(parsed)
    }
  })

  test.each([
    [{}, ': expected a MsgAck'],
    [null, ': expected a MsgAck'],
    [{ ackType: 'SUCCESS' }, 'responses: must not be empty'],
    [
      { ackType: 'SUCCESS', responses: [response, { dacsMessageId: '' }] },
      'responses.1.dacsMessageId: expected string',
    ],
    [
      { ackType: 'SUCCESS', responses: [{ dacsMessageId: '1'.repeat(15) }] },
      'responses.0.dacsMessageId: at most 14 characters',
    ],
  ])('refuses %j', (body, fault) => expect(faults(enrollmentSyncAck, body)).toEqual([fault]))

  test('sends DACS exceptions with an error only, and within the lengths of DACS', () => {
    const update = (change: object) => ({ 'F1-UpdateSyncRequest': { syncRequestId: '1', hasError: true, ...change } })
    const exception = (change: object) => ({ sequence: 1, messageCategory: 11114, messageNumber: 31002, ...change })
    expect(faults(dacsUpdateSyncRequest, update({ exceptionInfo: [exception({})] }))).toEqual([])
    expect(faults(dacsUpdateSyncRequest, update({ hasError: false, exceptionInfo: [] }))).toEqual([
      'F1-UpdateSyncRequest.exceptionInfo: only with hasError',
    ])
    for (const change of [
      { comments: 'x'.repeat(255) },
      { messageNumber: 100_000 },
      { sequence: 1000 },
      { messageParameters: [{ parameterSequence: 1, messageParameterValue: 'x'.repeat(2001) }] },
    ]) {
      expect(faults(dacsUpdateSyncRequest, update({ exceptionInfo: [exception(change)] }))).toHaveLength(1)
    }
  })
})

describe('device status', () => {
  const { communicationId, deviceInfo } = examples['device-status-check'].sendDetails

  test('check takes empty fields and drops unknown ones', () => {
    const sendDetails = { communicationId, deviceInfo: { ...deviceInfo, nicid: '', specification: null, extra: 1 } }
    expect(deviceStatusCheck.parse({ sendDetails }).sendDetails.deviceInfo).toEqual({
      ...deviceInfo,
      nicid: '',
      specification: null,
    })
    expect(faults(dermsStatusCheck, { dacsMessageId: '1', DeviceInfo: { nicid: '', specification: null } })).toEqual([])
    expect(faults(dermsStatusCheck, { dacsMessageId: '1', DeviceInfo: { nicId: 'N' } })).toEqual([
      'DeviceInfo: unknown field',
    ])
  })

  test.each([
    [{ deviceInfo }, 'sendDetails.communicationId: expected string'],
    [{ communicationId }, 'sendDetails.deviceInfo: expected object'],
    [
      { communicationId, deviceInfo: { headEndSystem: 'x'.repeat(51) } },
      'sendDetails.deviceInfo.headEndSystem: at most 50 characters',
    ],
  ])('check refuses %j', (sendDetails, fault) => expect(faults(deviceStatusCheck, { sendDetails })).toEqual([fault]))

  test('answer of DACS is read with and without its root', () => {
    const golden = examples['device-status-ack.dacs-answer']
    expect(readDeviceStatusAnswer(golden)).toEqual(golden['X1-CDStsChkR'])
    expect(readDeviceStatusAnswer(golden['X1-CDStsChkR'])).toEqual(golden['X1-CDStsChkR'])
    expect(readDeviceStatusAnswer('')).toEqual({})
  })
})

describe('stage status', () => {
  const golden = examples['stage-status']

  test('of an action needs stage and status alone', () => {
    expect(
      faults(stageStatus, { stageId: '1315', stageStatus: 'Canceled', eventId: '', stageEndDateTime: '', more: 1 }),
    ).toEqual([])
    expect(faults(stageStatus, {})).toEqual(['stageId: expected string', 'stageStatus: expected string'])
  })

  test('that creates an event needs all of the event', () => {
    expect(
      faults(stageStatusCreate, { stageId: '1315', stageStatus: 'SCHEDULED', eventType: '', stageEndDateTime: '' }),
    ).toEqual([
      'eventId: expected string',
      'programCode: expected string',
      'eventType: must not be empty',
      'stageStartDateTime: expected string',
      'stageEndDateTime: expected date-time',
    ])
  })

  test.each([
    [{ stageId: '1'.repeat(121) }, 'stageId: at most 120 characters'],
    [{ stageStartDateTime: '2024-02-30T18:00:00Z' }, 'stageStartDateTime: expected date-time'],
    [{ cancelReason: 'x'.repeat(255) }, 'cancelReason: at most 254 characters'],
  ])('refuses %j', (change, fault) => expect(faults(stageStatus, { ...golden, ...change })).toEqual([fault]))

  test('sends DACS its own codes only', () => {
    const event = examples['stage-status.to-dacs']
    expect(faults(dacsProgramEvent, { ...event, programEventCategory: '' })).toHaveLength(1)
    expect(faults(dacsProgramEvent, { ...event, cancelReason: 'x' })).toEqual([': unknown field'])
    expect(faults(dacsProgramEventAction, { eventExternalIdentifier: '1315', action: '' })).toHaveLength(1)
    expect(
      faults(dacsProgramEventAction, { eventExternalIdentifier: '1315', action: 'F1CN', cancelReason: '' }),
    ).toHaveLength(1)
  })
})
