import { toUtc } from '@tieline/contracts/date-time'
import {
  type DacsReservation,
  type EventReservation,
  eventReservation,
  reservationRow,
} from '@tieline/contracts/messages/event-reservation'
import type { EventFile } from '../event-file.ts'
import { refuseControlCharacters } from './control-characters.ts'
import { eventKeyOf } from './event-key.ts'

type Device = DacsReservation['deviceList'][number]

/** F6: each row of the file is a device that the stage reserves (docs/wire-facts.md, F6). */
export const reservationFile: EventFile<EventReservation, Device> = {
  flow: 'event-reservation',
  message: eventReservation,
  operation: 'reserveDevice',

  toItem(values, { readRow }) {
    refuseControlCharacters(values)
    const row = readRow(reservationRow, values)
    const { reservationStartDateTime: start, reservationEndDateTime: end } = row
    return {
      nicId: row.nicId,
      headEndSystem: row.headEndSystemId,
      // DACS then takes the times of the event.
      ...(start && { reservationStartDateTime: toUtc(start) }),
      ...(end && { reservationEndDateTime: toUtc(end) }),
    }
  },

  toBody(message, items, { compat }): DacsReservation {
    const { eventStartDateTime: start, eventEndDateTime: end } = message
    return {
      eventExternalIdentifier: eventKeyOf(message, compat),
      ...(start && { eventStartDateTime: toUtc(start) }),
      ...(end && { eventEndDateTime: toUtc(end) }),
      deviceList: [...items],
    }
  },
}
