import { z } from 'zod'
import { ackTypes, msgAckResponseFields, readMsgAck } from '../msg-ack.ts'
import { syncRequestIdLengthMax } from './enrollment-sync.ts'
import { requiredText } from './fields.ts'

const response = z.object({ ...msgAckResponseFields, dacsMessageId: requiredText(syncRequestIdLengthMax) })

/**
 * F3, DERMS to Tieline: a `MsgAck` in any of its forms, one response for each sync request, found by `dacsMessageId`.
 * Parsing gives the form of `readMsgAck`.
 */
export const enrollmentSyncAck = z
  .unknown()
  .transform((body, context): unknown => {
    const ack = readMsgAck(body)
    if (ack !== undefined) return ack
    context.issues.push({ code: 'custom', message: 'expected a MsgAck', input: undefined })
    return z.NEVER
  })
  .pipe(z.object({ ackType: z.enum(ackTypes), whenISO: z.string(), responses: z.array(response).min(1) }))

/** The form of F3 that the documentation shows; `enrollmentSyncAck` also reads the others. */
export const enrollmentSyncAckDocument = z.object({
  MsgAck: z.object({
    ackType: z.enum(ackTypes),
    whenISO: z.string().optional(),
    responses: z.object({
      response: z
        .array(
          z.object({
            ...z.object(msgAckResponseFields).partial().shape,
            dacsMessageId: requiredText(syncRequestIdLengthMax),
          }),
        )
        .min(1),
    }),
  }),
})

const frameworkNumber = z.int().min(-99_999).max(99_999)
const sequence = z.int().min(-999).max(999)

/** F3, Tieline to DACS: PATCH of one sync request. Exceptions come with an error only. */
export const dacsUpdateSyncRequest = z.strictObject({
  'F1-UpdateSyncRequest': z
    .strictObject({
      syncRequestId: requiredText(syncRequestIdLengthMax),
      hasError: z.boolean(),
      exceptionInfo: z
        .array(
          z.strictObject({
            sequence,
            messageCategory: frameworkNumber,
            messageNumber: frameworkNumber,
            comments: requiredText(254).optional(),
            messageParameters: z
              .array(z.strictObject({ parameterSequence: sequence, messageParameterValue: requiredText(2000) }))
              .optional(),
          }),
        )
        .optional(),
    })
    .refine((update) => update.hasError || update.exceptionInfo === undefined, {
      path: ['exceptionInfo'],
      error: 'only with hasError',
    }),
})

export type EnrollmentSyncAck = z.infer<typeof enrollmentSyncAck>
export type DacsUpdateSyncRequest = z.infer<typeof dacsUpdateSyncRequest>
