import { z } from 'zod'
import { dateTime, optionalDateTime, optionalText, requiredText } from './fields.ts'

const id = requiredText(120)
const optionalId = optionalText(120)

/** Successful, in-flight override, non-responsive, error, cancelled. */
export const eventOutcomes = ['D1SP', 'D1IO', 'D1ND', 'D1ER', 'D1CN'] as const

/** DACS' length of an error message; a longer one is cut. */
export const outcomeErrorLengthMax = 100

/** F9, DERMS to Tieline: the JSON part. Each row of the file says which event it belongs to. */
export const eventOutcome = z.object({
  drmsInstanceId: optionalText('routingKey'),
  messageId: requiredText('messageId'),
  eventIds: z.array(requiredText('eventId')).nullish(),
})

/** F9: one row of the file. Column names are compared without case; columns that no contract knows are left out. */
export const outcomeRow = z.object({
  recordId: optionalText('unknown'),
  eventId: optionalId,
  stageId: optionalId,
  nicId: requiredText(100),
  headEndSystemId: requiredText(50),
  outcome: requiredText('code'),
  participationStartDateTime: optionalDateTime,
  participationEndDateTime: optionalDateTime,
  /** Of any length: only its beginning goes on. */
  errorMessage: z.string().nullish(),
})

/** Without these columns an outcome file cannot be read. */
export const outcomeColumns = ['nicId', 'headEndSystemId', 'outcome'] as const satisfies (keyof OutcomeRow)[]

/** F9, Tieline to DACS (postEventOutcome): one segment of the file. */
export const dacsOutcomes = z.strictObject({
  postOutcomeList: z
    .array(
      z.strictObject({
        eventExternalIdentifier: id,
        nicId: requiredText(100),
        headEndSystem: requiredText(50),
        /** An installation may know more codes. */
        outcome: z.enum(eventOutcomes as readonly string[]),
        participationStartDateTime: dateTime.optional(),
        participationEndDateTime: dateTime.optional(),
        errorMessage: requiredText(outcomeErrorLengthMax).optional(),
      }),
    )
    .min(1),
})

export type EventOutcome = z.infer<typeof eventOutcome>
export type OutcomeRow = z.infer<typeof outcomeRow>
export type DacsOutcomes = z.infer<typeof dacsOutcomes>
