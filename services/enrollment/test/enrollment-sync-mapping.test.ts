import { examples } from '@tieline/contracts/examples'
import { enrollmentSync } from '@tieline/contracts/messages/enrollment-sync'
import { describe, expect, test } from 'vitest'
import { toDermsEnrollmentSync } from '../src/mappings/enrollment-sync.ts'
import { lookupsWith } from './lookups.ts'
import { nested } from './paths.ts'

const lookups = lookupsWith()
const map = (leaves: Record<string, unknown>) =>
  toDermsEnrollmentSync(enrollmentSync.parse({ sendDetails: { syncRequestId: '265', ...nested(leaves) } }), lookups)
const device = 'locationInfo.controllableDevices.0'
const [west, utc] = ['2024-09-01T00:00:00-07:00', '2024-09-01T07:00:00Z']

describe('enrollment sync to DERMS', () => {
  test.each([
    ['contactInfo.contactId', '204', 'contactInfo.contactId', '204'],
    ['contactInfo.cisPersonId', '704', 'contactInfo.cisPersonId', '704'],
    ['subscriptionInfo.subscriptionId', '883', 'subscriptionInfo.subscriptionId', '883'],
    ['subscriptionInfo.cisAccountId', '229', 'subscriptionInfo.cisAccountId', '229'],
    ['subscriptionInfo.subscriptionType', 'BYOT', 'subscriptionInfo.subscriptionType', 'BYOT'],
    ['subscriptionInfo.status', 'ACTIVE', 'subscriptionInfo.status', 'ACTIVE'],
    ['subscriptionInfo.programId', '310', 'subscriptionInfo.programId', '310'],
    ['subscriptionInfo.startDateTime', west, 'subscriptionInfo.startDateTimeISO', utc],
    ['subscriptionInfo.endDateTime', west, 'subscriptionInfo.endDateTimeISO', utc],
    ['subscriptionInfo.programCode', 'BYOT-SUMMER', 'subscriptionInfo.programCode', 'BYOT-SUMMER'],
    ['locationInfo.division', 'CA', 'locationInfo.division', 'CA'],
    ['locationInfo.servicePointId', '880', 'locationInfo.servicePointId', '880'],
    ['locationInfo.cisPremiseId', '056', 'locationInfo.cisPremiseId', '056'],
    ['locationInfo.cisServicePointId', '057', 'locationInfo.cisServicePointId', '057'],
    ['locationInfo.controllableDevices', [], 'locationInfo.controllableDevices', []],
    [`${device}.deviceId`, '590', `${device}.deviceId`, '590'],
    [`${device}.deviceType`, 'SMART THERMOSTAT', `${device}.deviceType`, 'SMART THERMOSTAT'],
    [`${device}.specification`, 'EST_G3_SPEC', `${device}.specification`, 'EST_G3_SPEC'],
    [`${device}.nicId`, 'NIC-0001', `${device}.nicId`, 'NIC-0001'],
    [`${device}.headEndSystem`, 'NEST', `${device}.headEndSystem`, 'NEST'],
    [`${device}.serialNo`, 'SN-0001', `${device}.serialNo`, 'SN-0001'],
    [`${device}.badgeNo`, 'B-1', `${device}.badgeNo`, 'B-1'],
    [`${device}.deviceLocationStatus`, 'D1YS', `${device}.deviceStatus`, 'Active'],
    [`${device}.deviceLocationStatus`, 'D1NO', `${device}.deviceStatus`, 'Inactive'],
    [`${device}.headEndRegistration`, 'D1RE', `${device}.headEndRegistration`, 'D1RE'],
    [`${device}.installDateTime`, west, `${device}.installDateTimeISO`, utc],
    [`${device}.removalDateTime`, west, `${device}.removalDateTimeISO`, utc],
    // Unknown fields pass, inside the objects only.
    ['contactInfo.language', 'es', 'contactInfo.language', 'es'],
    ['subscriptionInfo.tier', { level: 2 }, 'subscriptionInfo.tier', { level: 2 }],
    ['locationInfo.feeder', 7, 'locationInfo.feeder', 7],
    [`${device}.firmware`, ['1.2'], `${device}.firmware`, ['1.2']],
    // Nothing stays nothing, in the form in which it came.
    ['contactInfo', null, 'contactInfo', null],
    ['contactInfo', {}, 'contactInfo', {}],
    ['contactInfo.cisPersonId', '', 'contactInfo.cisPersonId', ''],
    ['contactInfo.cisPersonId', null, 'contactInfo.cisPersonId', null],
    ['subscriptionInfo', null, 'subscriptionInfo', null],
    ['subscriptionInfo.endDateTime', '', 'subscriptionInfo.endDateTimeISO', ''],
    ['subscriptionInfo.endDateTime', null, 'subscriptionInfo.endDateTimeISO', null],
    ['locationInfo', null, 'locationInfo', null],
    ['locationInfo.controllableDevices', null, 'locationInfo.controllableDevices', null],
    [`${device}.deviceLocationStatus`, '', `${device}.deviceStatus`, ''],
    [`${device}.deviceLocationStatus`, null, `${device}.deviceStatus`, null],
  ])('%s %j goes to %s %j and nowhere else', (source, value, target, expected) => {
    expect(map({ [source]: value })).toEqual({ dacsMessageId: '265', ...nested({ [target]: expected }) })
  })

  test('unknown fields beside the objects are dropped', () => {
    expect(map({ priority: 1 })).toEqual({ dacsMessageId: '265' })
  })

  test.each([
    ['subscriptionInfo.startDateTimeISO', 'yesterday', 'subscriptionInfo', {}],
    [`${device}.deviceStatus`, 'D1YS', device, {}],
    [`${device}.installDateTimeISO`, 5, device, {}],
  ])('%s %j of DACS does not pass for a translated value', (source, value, target, expected) => {
    expect(map({ [source]: value })).toEqual({ dacsMessageId: '265', ...nested({ [target]: expected }) })
  })

  test('a device status without a row stops the message and names the row', () => {
    expect(() => map({ [`${device}.deviceLocationStatus`]: 'D1XX' })).toThrow(
      expect.objectContaining({
        code: 'lookup-missing',
        retry: { kind: 'never' },
        message: 'DeviceLocationStatus has no row for "D1XX"',
      }),
    )
  })

  test("DACS' golden message becomes DERMS' golden message", () => {
    const mapped = toDermsEnrollmentSync(enrollmentSync.parse(examples['enrollment-sync']), lookups)
    expect(mapped).toEqual(examples['enrollment-sync.to-derms'])
  })
})
