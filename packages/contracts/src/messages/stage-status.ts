import { z } from 'zod'
import { dateTime, optionalDateTime, optionalText, requiredText } from './fields.ts'

/** Device test, economic, emergency, reliability. An installation may have others in lookup EventType. */
export const programEventCategories = ['X1DT', 'X1EC', 'X1EM', 'X1RE'] as const

/** Cancel, complete, in progress, schedule. An installation may have others in lookup StageStatus. */
export const programEventActions = ['F1CN', 'F1CO', 'X1IP', 'X1SD'] as const

const id = requiredText(120)
const optionalId = optionalText(120)

/**
 * F7, DERMS to Tieline: the status of a stage. A change of status needs no more than stage and status; which statuses exist
 * is for the StageStatus lookup to say.
 */
export const stageStatus = z.object({
  drmsInstanceId: optionalText('routingKey'),
  messageId: optionalText('messageId'),
  eventId: optionalId,
  stageId: id,
  programCode: optionalId,
  eventType: optionalText('code'),
  stageStatus: requiredText('code'),
  stageStartDateTime: optionalDateTime,
  stageEndDateTime: optionalDateTime,
  cancelReason: optionalText(254),
})

/** F7: what a status that creates the program event needs besides. */
export const stageStatusCreate = stageStatus.extend({
  eventId: id,
  programCode: id,
  eventType: requiredText('code'),
  stageStartDateTime: dateTime,
  stageEndDateTime: dateTime,
})

const dacsCode = requiredText(30)

/** F7, Tieline to DACS: createProgramEvent. One stage of DERMS is one program event of DACS. */
export const dacsProgramEvent = z.strictObject({
  eventExternalIdentifier: id,
  externalIdentifier: id,
  programExternalIdentifier: id,
  programEventCategory: dacsCode.describe(`Such as ${programEventCategories.join(', ')}.`),
  startDateTime: dateTime,
  endDateTime: dateTime,
})

/** F7, Tieline to DACS: actionProgramEvent. */
export const dacsProgramEventAction = z.strictObject({
  eventExternalIdentifier: id,
  action: dacsCode.describe(`Such as ${programEventActions.join(', ')}.`),
  cancelReason: requiredText(254).optional(),
})

export type StageStatus = z.infer<typeof stageStatus>
export type DacsProgramEvent = z.infer<typeof dacsProgramEvent>
export type DacsProgramEventAction = z.infer<typeof dacsProgramEventAction>
