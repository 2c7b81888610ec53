import { assumedDeviceField } from '@tieline/contracts/assumed'
import { toUtc } from '@tieline/contracts/date-time'
import type { DermsEnrollmentSync, EnrollmentSync } from '@tieline/contracts/messages/enrollment-sync'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'

type Details = EnrollmentSync['sendDetails']
type Subscription = NonNullable<Details['subscriptionInfo']>
type Location = NonNullable<Details['locationInfo']>
type Device = NonNullable<Location['controllableDevices']>[number]
type Lookups = Pick<LookupSnapshot, 'require'>

/**
 * F2: what DACS says about a customer, as DERMS wants it (docs/wire-facts.md, F2). Whatever the objects hold besides goes
 * on as it came; so do empty texts and nulls.
 * @throws TielineError `lookup-missing` when DeviceLocationStatus does not know a device's status
 */
export function toDermsEnrollmentSync({ sendDetails }: EnrollmentSync, lookups: Lookups): DermsEnrollmentSync {
  const { syncRequestId, ...details } = sendDetails
  const { subscriptionInfo, locationInfo } = details
  return {
    ...details,
    dacsMessageId: syncRequestId,
    ...(subscriptionInfo && { subscriptionInfo: toSubscription(subscriptionInfo) }),
    ...(locationInfo && { locationInfo: toLocation(locationInfo, lookups) }),
  }
}

const toSubscription = (subscription: Subscription) =>
  renamed(subscription, [
    ['startDateTime', 'startDateTimeISO', toUtc],
    ['endDateTime', 'endDateTimeISO', toUtc],
  ])

const toLocation = (location: Location, lookups: Lookups) => ({
  ...location,
  ...(location.controllableDevices && {
    controllableDevices: location.controllableDevices.map((device) => toDevice(device, lookups)),
  }),
})

function toDevice(device: Device, lookups: Lookups) {
  const { status, installed, removed } = assumedDeviceField
  return renamed(device, [
    [status.dacs, status.derms, (code) => lookups.require('DeviceLocationStatus', code)],
    [installed.dacs, installed.derms, toUtc],
    [removed.dacs, removed.derms, toUtc],
  ])
}

type Renaming = readonly [from: string, to: string, translate: (text: string) => string]

/**
 * Moves fields to their names at DERMS. Under such a name only a translated value may go out, so an unknown field that
 * already has it is dropped.
 */
function renamed<Fields extends Record<string, unknown>>(fields: Fields, renamings: readonly Renaming[]) {
  const moved = new Set(renamings.flatMap(([from, to]) => [from, to] as const))
  const values = renamings
    .filter(([from]) => fields[from] !== undefined)
    .map(([from, to, translate]) => [to, translatedText(fields[from], translate)])
  const same = Object.entries(fields).filter(([name]) => !moved.has(name))
  return Object.fromEntries([...same, ...values])
}

/** Nothing, in whatever form, stays nothing. */
const translatedText = (value: unknown, translate: (text: string) => string): unknown =>
  typeof value === 'string' && value !== '' ? translate(value) : value
