import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Operation } from './far-side.ts'
import { dateTime, key } from './fields.ts'
import { demand } from './refusal.ts'

const device = z.strictObject({
  nicId: key(100),
  headEndSystem: key(50),
  reservationStartDateTime: dateTime.optional(),
  reservationEndDateTime: dateTime.optional(),
})

const reservation = z.strictObject({
  eventExternalIdentifier: key(120),
  eventStartDateTime: dateTime.optional(),
  eventEndDateTime: dateTime.optional(),
  deviceList: z.array(device).min(1).max(2_000),
})

const outcome = z
  .strictObject({
    eventExternalIdentifier: key(120),
    nicId: key(100),
    headEndSystem: key(50),
    outcome: z.enum(['D1CN', 'D1ER', 'D1IO', 'D1ND', 'D1SP']),
    participationStartDateTime: dateTime.optional(),
    participationEndDateTime: dateTime.optional(),
    errorMessage: z.string().min(1).max(100).optional(),
  })
  .refine((row) => row.outcome !== 'D1SP' || row.errorMessage === undefined, {
    path: ['errorMessage'],
    message: 'not for a success',
  })

const outcomes = z.strictObject({ postOutcomeList: z.array(outcome).min(1).max(2_000) })

/** One device in one event: the three of them are its key, so that a repeat updates it. */
export interface Participation {
  readonly event: string
  readonly headEndSystem: string
  readonly nicId: string
  reservation?: z.infer<typeof device>
  outcome?: z.infer<typeof outcome>
  /** How often each came. */
  reserved: number
  reported: number
}

/** F6 and F9: reservations and outcomes. @param resolve the program event of an identifier; throws Refusal when there is none */
export function createParticipations(resolve: (identifier: string) => string) {
  const entries = new Map<string, Participation>()

  const find = (event: string, { headEndSystem, nicId }: { headEndSystem: string; nicId: string }): Participation => {
    const id = [event, headEndSystem, nicId].join(' ')
    const entry = entries.get(id) ?? { event, headEndSystem, nicId, reserved: 0, reported: 0 }
    entries.set(id, entry)
    return entry
  }

  const reserveDevice: Operation = {
    name: 'reserveDevice',
    method: 'POST',
    path: '/cross/service/programEventParticipation/reserveDevice',
    accepts: 'json',
    handle({ body }) {
      const { eventExternalIdentifier, deviceList } = demand(reservation, body)
      const event = resolve(eventExternalIdentifier)
      let applied = false
      for (const row of deviceList) {
        const entry = find(event, row)
        applied ||= !isDeepStrictEqual(entry.reservation, row)
        entry.reservation = row
        entry.reserved += 1
      }
      return { status: 200, body: { eventExternalIdentifier }, applied }
    },
  }

  const postEventOutcome: Operation = {
    name: 'postEventOutcome',
    method: 'POST',
    path: '/cross/service/programEventParticipation/postEventOutcome',
    accepts: 'json',
    handle({ body }) {
      const rows = demand(outcomes, body).postOutcomeList.map((row) => ({
        row,
        event: resolve(row.eventExternalIdentifier),
      }))
      let applied = false
      for (const { row, event } of rows) {
        const entry = find(event, row)
        applied ||= !isDeepStrictEqual(entry.outcome, row)
        entry.outcome = row
        entry.reported += 1
      }
      return { status: 200, body: {}, applied }
    },
  }
  return { entries, operations: [reserveDevice, postEventOutcome] }
}
