import { z } from 'zod'
import { assumedDeviceField } from '../assumed.ts'
import { optionalDateTime, optionalText, optionalUtcDateTime, requiredText } from './fields.ts'

/** Also the length of `dacsMessageId` in the acknowledgment. */
export const syncRequestIdLengthMax = 14

const { status, installed, removed } = assumedDeviceField

/**
 * Fields that both sides name alike. They go to DERMS as received, empty or null or not at all: DERMS itself refuses a
 * missing person id, and DACS hears of it through the acknowledgment.
 */
const contact = { contactId: optionalText('contactId'), cisPersonId: optionalText(30) }

const subscription = {
  subscriptionId: optionalText('subscriptionId'),
  cisAccountId: optionalText(30),
  subscriptionType: optionalText(30),
  status: optionalText(12),
  programId: optionalText('programId'),
  programCode: optionalText(120),
}

const location = {
  division: optionalText('routingKey'),
  servicePointId: optionalText(12),
  cisPremiseId: optionalText(60),
  cisServicePointId: optionalText(60),
}

const device = {
  deviceId: optionalText('deviceId'),
  deviceType: optionalText('deviceType'),
  specification: optionalText('deviceSpecification'),
  nicId: optionalText('deviceNicId'),
  headEndSystem: optionalText('headEndSystem'),
  serialNo: optionalText('deviceSerialNo'),
  badgeNo: optionalText('badgeNo'),
  headEndRegistration: optionalText('code'),
}

/** F2, DACS to Tieline. Unknown fields of the inner objects are kept and passed on. */
export const enrollmentSync = z.object({
  sendDetails: z.object({
    syncRequestId: requiredText(syncRequestIdLengthMax),
    contactInfo: z.looseObject(contact).nullish(),
    subscriptionInfo: z
      .looseObject({ ...subscription, startDateTime: optionalDateTime, endDateTime: optionalDateTime })
      .nullish(),
    locationInfo: z
      .looseObject({
        ...location,
        controllableDevices: z
          .array(
            z.looseObject({
              ...device,
              [status.dacs]: optionalText('code'),
              [installed.dacs]: optionalDateTime,
              [removed.dacs]: optionalDateTime,
            }),
          )
          .nullish(),
      })
      .nullish(),
  }),
})

/** F2, Tieline to DERMS. Date-times are in UTC, as everywhere in DERMS. */
export const dermsEnrollmentSync = z.strictObject({
  dacsMessageId: requiredText(syncRequestIdLengthMax),
  contactInfo: z.looseObject(contact).nullish(),
  subscriptionInfo: z
    .looseObject({ ...subscription, startDateTimeISO: optionalUtcDateTime, endDateTimeISO: optionalUtcDateTime })
    .nullish(),
  locationInfo: z
    .looseObject({
      ...location,
      controllableDevices: z
        .array(
          z.looseObject({
            ...device,
            [status.derms]: optionalText('unknown'),
            [installed.derms]: optionalUtcDateTime,
            [removed.derms]: optionalUtcDateTime,
          }),
        )
        .nullish(),
    })
    .nullish(),
})

export type EnrollmentSync = z.infer<typeof enrollmentSync>
export type DermsEnrollmentSync = z.infer<typeof dermsEnrollmentSync>
