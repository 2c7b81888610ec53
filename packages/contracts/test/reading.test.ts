import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assumedLength } from '../src/assumed.ts'
import { parseExactJson } from '../src/exact-json.ts'
import { deviceStatusCheck } from '../src/messages/device-status-check.ts'
import { enrollmentRecord, enrollmentRequest } from '../src/messages/enrollment-request.ts'
import { enrollmentSync } from '../src/messages/enrollment-sync.ts'
import { enrollmentSyncAck } from '../src/messages/enrollment-sync-ack.ts'
import { eventOutcome } from '../src/messages/event-outcome.ts'
import { stageStatus } from '../src/messages/stage-status.ts'
import { describeIssues } from '../src/problem.ts'
import { createReading, type ReadingSettings } from '../src/reading/reading.ts'

const usual: ReadingSettings = {
  reading: 'tolerant',
  unpublishedRules: 'warn',
  timezone: 'UTC',
  lengths: {},
  codes: {},
}
const tolerant = createReading(usual)
const strict = createReading({ ...usual, reading: 'strict', unpublishedRules: 'refuse' })

type Read = typeof tolerant
const dataOf = (read: ReturnType<Read>) => ('data' in read ? read.data : describeIssues(read.error))
const lenientOf = (read: ReturnType<Read>) => ('data' in read ? read.lenient : describeIssues(read.error))

describe('what does not fit as it came is bent to the contract', () => {
  test.each([
    ['a number where a text is wanted keeps all its digits', '{"messageId":8812345}', { messageId: '8812345' }],
    ['also those a double has not', '{"messageId":15449036987859876543}', { messageId: '15449036987859876543' }],
    ['a fraction, too', '{"messageId":1.10}', { messageId: '1.10' }],
    ['true where a text is wanted', '{"messageId":true}', { messageId: 'true' }],
    [
      'one object where a list is wanted, and its fields',
      '{"messageId":"M","assetInfo":{"assetList":{"nicId":7,"sequence":"2"}}}',
      { messageId: 'M', assetInfo: { assetList: [{ nicId: '7', sequence: 2 }] } },
    ],
    [
      'nothing in a list',
      '{"messageId":"M","assetInfo":{"assetList":[null,{"nicId":"7"},""]}}',
      { messageId: 'M', assetInfo: { assetList: [{ nicId: '7' }] } },
    ],
    [
      'an empty text for anything that may be missing',
      '{"messageId":"M","customerInfo":"","assetInfo":{"assetList":""}}',
      { messageId: 'M', assetInfo: {} },
    ],
    [
      'an empty text where a number is wanted',
      '{"messageId":"M","assetInfo":{"assetList":[{"sequence":""}]}}',
      { messageId: 'M', assetInfo: { assetList: [{}] } },
    ],
    [
      'a date-time of another form',
      '{"messageId":"M","programInfo":{"startDateTimeISO":"2026-07-01 11:00-0700"}}',
      { messageId: 'M', programInfo: { startDateTimeISO: '2026-07-01T11:00:00-07:00' } },
    ],
    [
      'a number that is a date',
      '{"messageId":"M","programInfo":{"startDateTimeISO":20260701}}',
      { messageId: 'M', programInfo: { startDateTimeISO: '2026-07-01T00:00:00Z' } },
    ],
  ])('%s', (_, text, data) => expect(dataOf(tolerant(enrollmentRecord, parseExactJson(text)))).toEqual(data))

  test('a number in a text keeps the digits that a double has not', () => {
    const read = tolerant(enrollmentRecord, { messageId: 'M', assetInfo: { assetList: { sequence: '1.10' } } })
    expect(JSON.stringify(dataOf(read))).toBe('{"messageId":"M","assetInfo":{"assetList":[{"sequence":1.10}]}}')
  })

  test('and it is told where, without indexes', () => {
    const device = { nicId: 5, installDateTime: '2026-07-01' }
    const sendDetails = { syncRequestId: 5, locationInfo: { controllableDevices: [device, device] } }
    const at = 'sendDetails.locationInfo.controllableDevices[]'
    expect(lenientOf(tolerant(enrollmentSync, { sendDetails }))).toEqual({
      bent: ['sendDetails.syncRequestId', ...[1, 2].flatMap(() => [`${at}.nicId`, `${at}.installDateTime`])],
      unpublished: [],
    })
  })

  test('a date-time without a zone has that of the installation', () => {
    const there = createReading({ ...usual, timezone: 'America/Los_Angeles' })
    const given = { stageId: '1', stageStatus: 'S', stageEndDateTime: '2026-07-01T18:00:00' }
    expect(dataOf(there(stageStatus, given))).toEqual({ ...given, stageEndDateTime: '2026-07-01T18:00:00-07:00' })
  })

  test('and the message itself stays as it came', () => {
    const given = { messageId: 'M', eventIds: 7, deep: { own: 1 } }
    const before = structuredClone(given)
    const read = tolerant(eventOutcome, given)
    expect(dataOf(read)).toEqual({ messageId: 'M', eventIds: ['7'] })
    expect(given).toEqual(before)
  })

  test.each([
    [deviceStatusCheck, { sendDetails: { communicationId: null, deviceInfo: {} } }, 'expected string'],
    [deviceStatusCheck, { sendDetails: { communicationId: ['A'], deviceInfo: {} } }, 'expected string'],
    [deviceStatusCheck, { sendDetails: { communicationId: { id: 1 }, deviceInfo: {} } }, 'expected string'],
    [stageStatus, { stageId: '1', stageStatus: 'S', stageEndDateTime: 'soon' }, 'expected date-time'],
    [enrollmentRequest, { params: null }, 'expected array'],
    [enrollmentRecord, { messageId: 'M', assetInfo: { assetList: [{ sequence: 'first' }] } }, 'expected number'],
  ])('what has no meaning is refused: %#', (contract, given, rule) => {
    const read = tolerant(contract, given)
    expect('error' in read && describeIssues(read.error)).toEqual([expect.objectContaining({ rule })])
  })

  test('strict refuses all of it', () => {
    for (const given of [{ messageId: 1 }, { messageId: 'M', assetInfo: { assetList: {} } }]) {
      expect(strict(enrollmentRecord, given)).toHaveProperty('error')
    }
  })
})

const record = (change: object) => ({ messageId: 'M', ...change })
const inCity = (length: number) => record({ locationInfo: { city: 'x'.repeat(length) } })

describe('a rule that nobody has published', () => {
  const { city } = assumedLength

  test('lets a value go on as it is, and is noted', () => {
    const read = tolerant(enrollmentRecord, inCity(city + 1))
    expect(dataOf(read)).toEqual(inCity(city + 1))
    expect(lenientOf(read)).toEqual({ bent: [], unpublished: [{ path: 'locationInfo.city', rule: 'lengths.city' }] })
    expect(tolerant(enrollmentRecord, inCity(city))).not.toHaveProperty('lenient')
  })

  test('refuses where the installation wants it so', () => {
    const read = createReading({ ...usual, unpublishedRules: 'refuse' })(enrollmentRecord, inCity(city + 1))
    expect(dataOf(read)).toEqual([{ path: 'locationInfo.city', rule: `at most ${city} characters` }])
  })

  test('that the installation states is binding in either way', () => {
    for (const unpublishedRules of ['warn', 'refuse'] as const) {
      const longer = createReading({ ...usual, unpublishedRules, lengths: { city: 200 } })
      expect(longer(enrollmentRecord, inCity(200))).not.toHaveProperty('lenient')
      expect(dataOf(longer(enrollmentRecord, inCity(201)))).toEqual([
        { path: 'locationInfo.city', rule: 'at most 200 characters' },
      ])
      const shorter = createReading({ ...usual, unpublishedRules, lengths: { city: 2 } })
      expect(shorter(enrollmentRecord, inCity(3))).toHaveProperty('error')
    }
  })

  test('may be broken together with what has to be bent', () => {
    const read = tolerant(enrollmentRecord, { messageId: 8, locationInfo: { city: 'x'.repeat(99), division: 123456 } })
    expect(dataOf(read)).toEqual({ messageId: '8', locationInfo: { city: 'x'.repeat(99), division: '123456' } })
    expect(lenientOf(read)).toEqual({
      bent: ['messageId', 'locationInfo.division'],
      unpublished: [
        { path: 'locationInfo.division', rule: 'lengths.division' },
        { path: 'locationInfo.city', rule: 'lengths.city' },
      ],
    })
  })

  test('leaves the published ones binding', () => {
    expect(dataOf(tolerant(enrollmentRecord, record({ customerInfo: { name: 'x'.repeat(255) } })))).toEqual([
      { path: 'customerInfo.name', rule: 'at most 254 characters' },
    ])
    const sync = { ackType: 'SUCCESS', responses: [{ dacsMessageId: '1'.repeat(15) }] }
    expect(tolerant(enrollmentSyncAck, sync)).toHaveProperty('error')
    expect(dataOf(tolerant(enrollmentRecord, record({ assetInfo: { installationMethod: 'X1RE' } })))).toEqual([
      { path: 'assetInfo.installationMethod', rule: 'one of X1SD, X1SI, X1UI' },
    ])
  })

  test('an installation may know other codes', () => {
    const newer = createReading({ ...usual, codes: { installationMethod: ['X1SI', 'X1RE'] } })
    const by = (installationMethod: string) => record({ assetInfo: { installationMethod } })
    expect(newer(enrollmentRecord, by('X1RE'))).not.toHaveProperty('lenient')
    expect(newer(enrollmentRecord, by(''))).not.toHaveProperty('lenient')
    expect(newer(enrollmentRecord, by('X1SD'))).toHaveProperty('error')
  })
})

test('what strict takes is the same when it is read tolerantly, and nothing is noted', () => {
  const texts = fc.oneof(fc.string(), fc.constantFrom('', '2024-09-01T18:00:00Z', 'X1SI'))
  const value = fc.oneof({ weight: 9, arbitrary: texts }, fc.integer(), fc.constant(null), fc.boolean())
  const device = fc.dictionary(fc.constantFrom('nicId', 'serialNo', 'installDateTime', 'own'), value)
  const sync = fc.record({
    sendDetails: fc.record({
      syncRequestId: fc.oneof(fc.string({ minLength: 1, maxLength: 14 }), value),
      contactInfo: fc.option(fc.dictionary(fc.constantFrom('contactId', 'cisPersonId', '__proto__'), value)),
      locationInfo: fc.record({ controllableDevices: fc.oneof(fc.array(device), device, value) }, { requiredKeys: [] }),
    }),
  })
  let taken = 0
  fc.assert(
    fc.property(fc.oneof(sync, fc.jsonValue()), (given) => {
      const [one, other] = [strict(enrollmentSync, given), tolerant(enrollmentSync, given)]
      if ('error' in one) return
      taken += 1
      expect(JSON.stringify(dataOf(other))).toBe(JSON.stringify(one.data))
      expect(other).not.toHaveProperty('lenient')
    }),
    { numRuns: 1_000 },
  )
  expect(taken).toBeGreaterThan(30)
})
