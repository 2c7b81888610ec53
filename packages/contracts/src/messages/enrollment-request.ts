import { z } from 'zod'
import { assumedAnswerRoot } from '../assumed.ts'
import { textOf, valueAt, withFields } from '../json-object.ts'
import { number, optionalCode, optionalDateTime, optionalText, requiredText } from './fields.ts'

/** Ship the device, bring your own, installed by the utility. DACS 24C adds X1RE (re-enroll), which 24B refuses. */
export const installationMethods = ['X1SD', 'X1SI', 'X1UI'] as const

/** Owned by the customer, by the utility. */
export const assetOwnerships = ['W1CO', 'W1OW'] as const

/** Bring your own, contact centre, self service. */
const enrollmentSources = ['X1BY', 'X1CC', 'X1SS'] as const

/** DACS' published greatest lengths: the same on the way in, so that what is accepted can be mapped. */
const length = {
  messageId: 120,
  cisPersonId: 30,
  cisAccountId: 30,
  name: 254,
  phone: 24,
  email: 254,
  address: 254,
  serialNo: 60,
  nicId: 100,
}

/**
 * F1, DERMS to Tieline: many records in one message. The records stay unparsed here, because one that breaks its contract
 * is answered by itself and the others go on.
 */
export const enrollmentRequest = z.object({
  drmsInstanceId: optionalText('routingKey'),
  params: z.array(z.unknown()),
})

const asset = z.object({
  sequence: number.nullish(),
  assetId: optionalText('assetId'),
  make: optionalText('make'),
  model: optionalText('model'),
  specification: optionalText('specification'),
  assetType: optionalText('assetType'),
  badgeNo: optionalText('badgeNo'),
  serialNo: optionalText(length.serialNo),
  nicId: optionalText(length.nicId),
  headEndSystem: optionalText('headEndSystem'),
})

/** F1: one enrollment. Only its id is required; what else a program needs is DACS' decision. */
export const enrollmentRecord = z.object({
  messageId: requiredText(length.messageId),
  customerInfo: z
    .object({
      cisPersonId: optionalText(length.cisPersonId),
      cisAccountId: optionalText(length.cisAccountId),
      name: optionalText(length.name),
      homePhone: optionalText(length.phone),
      businessPhone: optionalText(length.phone),
      email: optionalText(length.email),
    })
    .nullish(),
  programInfo: z
    .object({
      cisServiceAgreementId: optionalText('cisServiceAgreementId'),
      programCode: optionalText('programCode'),
      startDateTimeISO: optionalDateTime,
    })
    .nullish(),
  locationInfo: z
    .object({
      division: optionalText('division'),
      cisPremiseId: optionalText('cisPremiseId'),
      cisServicePointId: optionalText('cisServicePointId'),
      timeZone: optionalText('timeZone'),
      address1: optionalText(length.address),
      city: optionalText('city'),
      county: optionalText('county'),
      state: optionalText('state'),
      postal: optionalText('postal'),
      country: optionalText('country'),
    })
    .nullish(),
  assetInfo: z
    .object({
      installationMethod: optionalCode('installationMethod', installationMethods),
      assetOwnership: optionalCode('assetOwnership', assetOwnerships),
      assetList: z.array(asset).nullish(),
    })
    .nullish(),
})

const dacsText = (lengthMax: Parameters<typeof requiredText>[0]) => requiredText(lengthMax).optional()

/** An installation may know more codes. */
const dacsCode = (codes: readonly string[]) => z.enum(codes)

const dacsAsset = z.strictObject({
  sequence: number.optional(),
  assetId: dacsText('assetId'),
  specification: dacsText('specification'),
  assetType: dacsText('assetType'),
  badgeNo: dacsText('badgeNo'),
  serialNo: dacsText(length.serialNo),
  nicId: dacsText(length.nicId),
  headEndSystem: dacsText('headEndSystem'),
})

/** F1, Tieline to DACS: one enrollment (enrollProgram). Nothing empty is sent. */
export const dacsEnrollment = z.strictObject({
  transactionId: requiredText(length.messageId),
  enrollmentSource: z.enum(enrollmentSources),
  customerInfo: z
    .strictObject({
      cisPersonId: dacsText(length.cisPersonId),
      cisAccountId: dacsText(length.cisAccountId),
      name: dacsText(length.name),
      homePhone: dacsText(length.phone),
      businessPhone: dacsText(length.phone),
      email: dacsText(length.email),
    })
    .optional(),
  programInfo: z
    .strictObject({
      cisServiceAgreementId: dacsText('cisServiceAgreementId'),
      programCode: dacsText('programCode'),
      startDate: z.iso.date().optional(),
    })
    .optional(),
  locationInfo: z
    .strictObject({
      division: dacsText('division'),
      cisPremiseId: dacsText('cisPremiseId'),
      cisServicePointId: dacsText('cisServicePointId'),
      timeZone: dacsText('timeZone'),
      address1: dacsText(length.address),
      city: dacsText('city'),
      county: dacsText('county'),
      state: dacsText('state'),
      postal: dacsText('postal'),
      country: dacsText('country'),
    })
    .optional(),
  assetInfo: z
    .strictObject({
      installationMethod: dacsCode(installationMethods).optional(),
      assetOwnership: dacsCode(assetOwnerships).optional(),
      assetList: z.array(dacsAsset).optional(),
    })
    .optional(),
})

/** F1, the part of DACS' answer that is read. An answer may hold anything else. */
export const dacsEnrollmentAnswer = z.object({
  enrollmentId: z.string().optional(),
  status: z.string().optional(),
})

/** Reads DACS' answer to an enrollment, with or without its root; what is missing or not readable is left out. */
export function readEnrollmentAnswer(body: unknown): DacsEnrollmentAnswer {
  const answer = withFields(body, assumedAnswerRoot.enrollment, Object.keys(dacsEnrollmentAnswer.shape))
  const enrollmentId = textOf(valueAt(answer, 'enrollmentId'))
  const status = textOf(valueAt(answer, 'status'))
  return { ...(enrollmentId !== undefined && { enrollmentId }), ...(status !== undefined && { status }) }
}

export type EnrollmentRecord = z.infer<typeof enrollmentRecord>
export type DacsEnrollment = z.infer<typeof dacsEnrollment>
export type DacsEnrollmentAnswer = z.infer<typeof dacsEnrollmentAnswer>
