import { z } from 'zod'
import { dateTime, optionalDateTime, optionalText, requiredText } from './fields.ts'

const id = requiredText(120)
const optionalId = optionalText(120)

/** Any of the two names the program event; which one DACS gets is for `compat.eventKey` to say. */
const namesAnEvent = {
  error: 'needs stageId or eventId',
  path: ['stageId'],
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
}

/** F6, DERMS to Tieline: the JSON part, which describes the stage. The file names its devices. */
export const eventReservation = z
  .object({
    drmsInstanceId: optionalText('routingKey'),
    messageId: id,
    eventId: optionalId,
    stageId: optionalId,
    eventType: optionalText('code'),
    eventStatus: optionalText('code'),
    eventStartDateTime: optionalDateTime,
    eventEndDateTime: optionalDateTime,
  })
  .refine(({ stageId, eventId }) => Boolean(stageId || eventId), namesAnEvent)

/** F6: one row of the file. Column names are compared without case; columns that no contract knows are left out. */
export const reservationRow = z.object({
  recordId: optionalText('unknown'),
  nicId: requiredText(100),
  headEndSystemId: requiredText(50),
  reservationStartDateTime: optionalDateTime,
  reservationEndDateTime: optionalDateTime,
})

/** Without these columns a reservation file cannot be read. */
export const reservationColumns = ['nicId', 'headEndSystemId'] as const satisfies (keyof ReservationRow)[]

/** F6, Tieline to DACS (reserveDevice): one segment of the file. */
export const dacsReservation = z.strictObject({
  eventExternalIdentifier: id,
  eventStartDateTime: dateTime.optional(),
  eventEndDateTime: dateTime.optional(),
  deviceList: z
    .array(
      z.strictObject({
        nicId: requiredText(100),
        headEndSystem: requiredText(50),
        reservationStartDateTime: dateTime.optional(),
        reservationEndDateTime: dateTime.optional(),
      }),
    )
    .min(1),
})

export type EventReservation = z.infer<typeof eventReservation>
export type ReservationRow = z.infer<typeof reservationRow>
export type DacsReservation = z.infer<typeof dacsReservation>
