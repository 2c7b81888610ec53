import { z } from 'zod'
import { key, utcDateTime } from './fields.ts'

/** DACS writes "nothing" as it likes: not at all, null or empty. No maximum where no length is documented. */
const optional = (max = Number.POSITIVE_INFINITY) => z.string().max(max).nullish()
const optionalDateTime = utcDateTime.or(z.literal('')).nullish()

/** Objects of the sync let unknown members pass: nobody has published the full list. */
const device = z.looseObject({
  deviceId: optional(12),
  deviceType: optional(30),
  specification: optional(30),
  nicId: optional(100),
  headEndSystem: optional(50),
  serialNo: optional(60),
  badgeNo: optional(60),
  deviceStatus: z.enum(['Active', 'Inactive', '']).nullish(),
  headEndRegistration: z.enum(['D1RE', 'D1NR', 'D1DR', '']).nullish(),
  installDateTimeISO: optionalDateTime,
  removalDateTimeISO: optionalDateTime,
})

/** F2 as DERMS receives it. A missing person is a business fault, not a malformed request. */
export const enrollmentSync = z.strictObject({
  dacsMessageId: key(14),
  contactInfo: z.looseObject({ contactId: optional(12), cisPersonId: optional(30) }).nullish(),
  subscriptionInfo: z
    .looseObject({
      subscriptionId: optional(12),
      cisAccountId: optional(30),
      subscriptionType: optional(30),
      status: optional(12),
      programId: optional(12),
      startDateTimeISO: optionalDateTime,
      endDateTimeISO: optionalDateTime,
      programCode: optional(120),
    })
    .nullish(),
  locationInfo: z
    .looseObject({
      division: optional(),
      servicePointId: optional(12),
      cisPremiseId: optional(60),
      cisServicePointId: optional(60),
      controllableDevices: z.array(device).nullish(),
    })
    .nullish(),
})

/** F4 as DERMS receives it: the pair of head-end system and `nicid` (spelled so here only) is the device. */
export const statusCheck = z.strictObject({
  dacsMessageId: key(30),
  DeviceInfo: z.strictObject({
    division: optional(),
    deviceType: optional(30),
    specification: optional(30),
    headEndSystem: key(50),
    nicid: key(100),
  }),
})

export type EnrollmentSync = z.infer<typeof enrollmentSync>
export type StatusCheck = z.infer<typeof statusCheck>

const response = z.strictObject({
  id: z.string().optional(),
  value: z.string().optional(),
  responseCode: z.string().min(1),
  responseTimeISO: utcDateTime,
  dacsMessageId: z.string().optional(),
})

const ack = z.strictObject({
  ackType: z.enum(['SUCCESS', 'ERROR', 'FAILURE']),
  whenISO: utcDateTime,
  responses: z.strictObject({ response: z.array(response) }),
})

export type Ack = z.infer<typeof ack>

/** The one acknowledgment shape of DERMS (docs/wire-facts.md, MsgAck), read to the letter. */
export const msgAck = (wrapped: boolean): z.ZodType<Ack> =>
  wrapped ? z.strictObject({ MsgAck: ack }).transform(({ MsgAck }) => MsgAck) : ack

export interface AckLine {
  readonly dacsMessageId?: string
  readonly responseCode: Ack['ackType']
  readonly value?: string
}

/** A MsgAck as DERMS writes it: SUCCESS when every line is, else the worst of them. */
export function renderMsgAck(lines: readonly AckLine[], wrapped: boolean): unknown {
  const whenISO = new Date().toISOString()
  const worst = (['FAILURE', 'ERROR'] as const).find((code) => lines.some((line) => line.responseCode === code))
  const rendered: Ack = {
    ackType: worst ?? 'SUCCESS',
    whenISO,
    responses: { response: lines.map((line) => ({ ...line, responseTimeISO: whenISO })) },
  }
  return wrapped ? { MsgAck: rendered } : rendered
}
