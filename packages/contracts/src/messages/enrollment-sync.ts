import { z } from 'zod'
import { assumedDeviceField, assumedLength } from '../assumed.ts'
import { optionalDateTime, optionalText, optionalUtcDateTime, requiredText } from './fields.ts'

/** Also the length of `dacsMessageId` in the acknowledgment. */
export const syncRequestIdLengthMax = 14

const { status, installed, removed } = assumedDeviceField

/**
 * Fields that both sides name alike. They go to DERMS as received, empty or null or not at all: DERMS itself refuses a
 * missing person id, and DACS hears of it through the acknowledgment.
 */
const contact = { contactId: optionalText(assumedLength.contactId), cisPersonId: optionalText(30) }

const subscription = {
  subscriptionId: optionalText(assumedLength.subscriptionId),
  cisAccountId: optionalText(30),
  subscriptionType: optionalText(30),
  status: optionalText(12),
  programId: optionalText(assumedLength.programId),
  programCode: optionalText(120),
}

const location = {
  division: optionalText(assumedLength.routingKey),
  servicePointId: optionalText(12),
  cisPremiseId: optionalText(60),
  cisServicePointId: optionalText(60),
}

const device = {
  deviceId: optionalText(assumedLength.deviceId),
  deviceType: optionalText(30),
  specification: optionalText(30),
  nicId: optionalText(100),
  headEndSystem: optionalText(50),
  serialNo: optionalText(60),
  badgeNo: optionalText(assumedLength.badgeNo),
  headEndRegistration: optionalText(assumedLength.code),
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
              [status.dacs]: optionalText(assumedLength.code),
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
            [status.derms]: optionalText(assumedLength.unknown),
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
