import { examples } from '@tieline/contracts/examples'
import { enrollmentRecord } from '@tieline/contracts/messages/enrollment-request'
import { CallError, never } from '@tieline/runtime/error'
import { describe, expect, test } from 'vitest'
import { toDacsEnrollment, toRecordResult, toRefusedResult, toSuccess } from '../src/mappings/enrollment-request.ts'
import { lookupsWith } from './lookups.ts'
import { at, nested } from './paths.ts'

const lookups = lookupsWith()
const map = (leaves: Record<string, unknown>) =>
  toDacsEnrollment(enrollmentRecord.parse({ messageId: 'M-1', ...nested(leaves) }), lookups)
const asset = 'assetInfo.assetList.0'

describe('enrollment to DACS', () => {
  test.each([
    ['messageId', 'M-1', 'transactionId', 'M-1'],
    ['customerInfo.cisPersonId', '704', 'customerInfo.cisPersonId', '704'],
    ['customerInfo.cisAccountId', '229', 'customerInfo.cisAccountId', '229'],
    ['customerInfo.name', 'Okafor, Mira', 'customerInfo.name', 'Okafor, Mira'],
    ['customerInfo.homePhone', '555-0142', 'customerInfo.homePhone', '555-0142'],
    ['customerInfo.businessPhone', '555-0143', 'customerInfo.businessPhone', '555-0143'],
    ['customerInfo.email', 'm@example.org', 'customerInfo.email', 'm@example.org'],
    ['programInfo.cisServiceAgreementId', '883', 'programInfo.cisServiceAgreementId', '883'],
    ['programInfo.programCode', 'BYOT', 'programInfo.programCode', 'BYOT'],
    ['programInfo.startDateTimeISO', '2024-09-01T23:30:00-07:00', 'programInfo.startDate', '2024-09-01'],
    ['locationInfo.division', 'CA', 'locationInfo.division', 'CA'],
    ['locationInfo.cisPremiseId', '056', 'locationInfo.cisPremiseId', '056'],
    ['locationInfo.cisServicePointId', '057', 'locationInfo.cisServicePointId', '057'],
    ['locationInfo.timeZone', 'US-PACIF', 'locationInfo.timeZone', 'US-PACIF'],
    ['locationInfo.address1', '48 Juniper Lane', 'locationInfo.address1', '48 Juniper Lane'],
    ['locationInfo.city', 'Oakland', 'locationInfo.city', 'Oakland'],
    ['locationInfo.country', 'USA', 'locationInfo.country', 'USA'],
    ['locationInfo.county', 'Alameda', 'locationInfo.county', 'Alameda'],
    ['locationInfo.state', 'CA', 'locationInfo.state', 'CA'],
    ['locationInfo.postal', '94601', 'locationInfo.postal', '94601'],
    ['assetInfo.installationMethod', 'X1SI', 'assetInfo.installationMethod', 'X1SI'],
    ['assetInfo.assetOwnership', 'W1CO', 'assetInfo.assetOwnership', 'W1CO'],
    [`${asset}.sequence`, 1, `${asset}.sequence`, 1],
    [`${asset}.assetId`, 'A-1', `${asset}.assetId`, 'A-1'],
    [`${asset}.specification`, 'NEST!N3GEN', `${asset}.specification`, 'EST_G3_SPEC'],
    [`${asset}.assetType`, 'SMART_THERMOSTAT', `${asset}.assetType`, 'SMART THERMOSTAT'],
    [`${asset}.badgeNo`, 'B-1', `${asset}.badgeNo`, 'B-1'],
    [`${asset}.serialNo`, 'SN-0001', `${asset}.serialNo`, 'SN-0001'],
    [`${asset}.nicId`, 'NIC-0001', `${asset}.nicId`, 'NIC-0001'],
    [`${asset}.headEndSystem`, 'NEST', `${asset}.headEndSystem`, 'NEST'],
  ])('%s %j goes to %s %j and nowhere else', (source, value, target, expected) => {
    const body = map({ [source]: value })
    expect(at(body, target)).toBe(expected)
    expect(body).toEqual({
      transactionId: 'M-1',
      enrollmentSource: 'X1BY',
      ...nested({ [target]: expected }),
    })
  })

  test.each([
    ['programInfo.endDateTimeISO', '2024-10-01T00:00:00Z'],
    ['locationInfo.address2', 'Apt 1'],
    ['locationInfo.address3', 'Floor 2'],
    ['locationInfo.address4', 'Block 3'],
    ['assetInfo.assetList.0.color', 'red'],
    ['anything', 'else'],
  ])('%s is not sent', (source, value) => {
    expect(map({ [source]: value })).toEqual({ transactionId: 'M-1', enrollmentSource: 'X1BY' })
  })

  test.each([
    ['customerInfo.name', ''],
    ['customerInfo.name', null],
    ['customerInfo', null],
    ['customerInfo', {}],
    ['programInfo.startDateTimeISO', ''],
    ['assetInfo.installationMethod', ''],
    ['assetInfo.assetList', []],
    ['assetInfo.assetList', [{}, { nicId: '', sequence: null, make: '', specification: '' }]],
  ])('nothing is sent for %s %j, not even an empty object', (source, value) => {
    expect(map({ [source]: value })).toEqual({ transactionId: 'M-1', enrollmentSource: 'X1BY' })
  })

  test('the source of the enrollment is the one that is configured', () => {
    const own = lookupsWith({ ConfigProps: [{ PropertyName: 'dacs.enrollmentSource.default', Value: 'X1CC' }] })
    expect(toDacsEnrollment(enrollmentRecord.parse({ messageId: 'M' }), own).enrollmentSource).toBe('X1CC')
  })

  test.each([
    ['make and model, in upper case', { make: 'nest', model: 'n3gen' }, 'EST_G3_SPEC'],
    ['make and model before a ready key', { make: 'NEST', model: 'N3GEN', specification: 'OTHER' }, 'EST_G3_SPEC'],
    ['a ready key without make or model', { make: 'NEST', specification: 'nest!n3gen' }, 'EST_G3_SPEC'],
    ['a key of make and model that has no row', { make: 'Nest', model: 'n9' }, 'NEST!N9'],
    ['a ready key that has no row', { specification: 'Some Spec' }, 'Some Spec'],
    ['a make alone', { make: 'NEST' }, undefined],
  ])('the specification follows from %s', (_, fields, expected) => {
    const body = map({ 'assetInfo.assetList': [{ sequence: 1, ...fields }] })
    expect(body.assetInfo?.assetList).toEqual([
      { sequence: 1, ...(expected !== undefined && { specification: expected }) },
    ])
  })

  test('an asset type without a row goes on unchanged', () => {
    expect(at(map({ [`${asset}.assetType`]: 'EV_CHARGER' }), `${asset}.assetType`)).toBe('EV_CHARGER')
  })

  test('the golden record becomes the golden enrollment', () => {
    const record = enrollmentRecord.parse(examples['enrollment-request'].params[0])
    expect(toDacsEnrollment(record, lookups)).toEqual(examples['enrollment-request.to-dacs'])
  })
})

describe('answer of DACS to one enrollment', () => {
  test.each([
    [
      'a known good status',
      { status: 'PENDING', enrollmentId: '61' },
      { responseCode: 'SUCCESS', value: '61', enrollmentId: '61' },
    ],
    ['a known good status alone', { status: 'PENDING' }, { responseCode: 'SUCCESS' }],
    [
      'a known bad status',
      { status: 'VALERROR', enrollmentId: '61' },
      { responseCode: 'ERROR', value: 'DACS answered with status VALERROR', enrollmentId: '61' },
    ],
    [
      'a status without a row, with an id',
      { status: 'NEW', enrollmentId: 61 },
      { responseCode: 'SUCCESS', value: '61', enrollmentId: '61' },
    ],
    [
      'a status without a row, without an id',
      { status: 'NEW' },
      { responseCode: 'ERROR', value: 'DACS answered with status NEW' },
    ],
    ['an id alone', { enrollmentId: '61' }, { responseCode: 'SUCCESS', value: '61', enrollmentId: '61' }],
    ['no body', undefined, { responseCode: 'ERROR', value: 'DACS answered without an enrollment id' }],
    [
      'the golden answer',
      examples['enrollment-request.dacs-answer'],
      { responseCode: 'SUCCESS', value: '61938204477015', enrollmentId: '61938204477015' },
    ],
  ])('%s', (_, body, expected) => {
    expect(toRecordResult(body, lookups)).toEqual(expected)
  })

  const refusal = (facts: { farNumber?: number; farText?: string }) =>
    new CallError({
      code: 'target-refused',
      retry: never,
      outcome: 'refused',
      connection: 'DACS',
      status: 400,
      message: 'DACS: enrollProgram answered 400',
      durationMs: 5,
      ...facts,
    })

  test("a refusal is an ERROR in DACS' words, or in ours when there are none", () => {
    const farText = 'Program code is not valid'
    expect(toRefusedResult(refusal({ farText }), lookups)).toEqual({ responseCode: 'ERROR', value: farText })
    expect(toRefusedResult(refusal({}), lookups).value).toBe('DACS: enrollProgram answered 400')
  })

  test('the message number of a refusal is looked up like a status', () => {
    const own = lookupsWith({ EnrollmentStatus: [{ PropertyName: '10700', Value: 'FAILURE' }] })
    expect(toRefusedResult(refusal({ farNumber: 10700 }), own).responseCode).toBe('FAILURE')
    expect(toRefusedResult(refusal({ farNumber: 10701 }), own).responseCode).toBe('ERROR')
  })

  test('"I have it already" is a success without an enrollment id', () => {
    const duplicate = refusal({ farNumber: 10589, farText: 'Duplicate' })
    expect(toSuccess(duplicate, lookups)).toEqual({ responseCode: 'SUCCESS' })
  })

  test('no other refusal is one', () => {
    expect(toSuccess(refusal({ farNumber: 10590 }), lookups)).toBeUndefined()
    expect(toSuccess(refusal({}), lookups)).toBeUndefined()
    expect(toSuccess(refusal({ farNumber: 10589 }), lookupsWith({ EnrollmentStatus: [] }))).toBeUndefined()
  })
})
