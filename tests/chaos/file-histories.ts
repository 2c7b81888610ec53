import type { Acknowledgment } from '@tieline/contracts/acknowledgment'
import { type AckType, renderMsgAck, usualMsgAckForm } from '@tieline/contracts/msg-ack'
import { reservation } from '@tieline/tools/chaos/event-files'
import type { Call, History, Put, Recorded, Sent } from '@tieline/tools/chaos/history'
import { callCreate, good, recorded } from './histories.ts'

/** A history with an event file of two segments and a score file, in which every property holds. */

const file = reservation('7', '7', 12)
const body = file.body(0)
const content = file.content?.(0) ?? ''

const fileKey = 'event-reservation.SITE1.RSV-7'
const ackKey = 'acknowledgment.event-reservation.1'
export const transferKey = 'device-score.SCORES_A.alpha'

const sentFile: Sent = { flow: 'event-reservation', key: fileKey, body, content, version: 'v0', at: 1_000 }

/** DACS takes rows, named by their numbers. */
export const callRows = (first: number, last: number, fields: Partial<Call> = {}): Call => ({
  ...callCreate,
  operation: 'reserveDevice',
  body: {
    deviceList: Array.from({ length: last - first + 1 }, (_, i) => ({
      nicId: `RSV-7-${first + i}`,
      reservationEndDateTime: '2024-09-01T20:00:00Z',
    })),
  },
  ...fields,
})

const told = (ackType: AckType): Acknowledgment['ack'] => ({
  ackType,
  whenISO: 'then',
  responses: [{ id: 'RSV-7', value: '12 records', responseCode: ackType, responseTimeISO: 'then' }],
})

export const callAck = (ackType: AckType, at: number, fields: Partial<Call> = {}): Call => ({
  ...callCreate,
  operation: 'eventReservationAck',
  body: renderMsgAck(told(ackType), usualMsgAckForm),
  at,
  ...fields,
})

const effect = (id: string, tries = 1, repeats = 0): Recorded['effects'][number] => ({
  id,
  state: 'confirmed',
  operation: 'reserveDevice',
  connection: 'DACS_MAIN',
  tries,
  repeats,
  at: 1_100,
})

export const recordedFile = (fields: Partial<Recorded> = {}): Recorded =>
  recorded(fileKey, {
    flow: 'event-reservation',
    line: undefined,
    payload: body,
    content,
    effects: [effect('rows.1-10'), effect('rows.11-12')],
    timeline: [
      { at: 1_010, what: 'accepted', generation: 1 },
      { at: 1_030, what: 'attempt', number: 1 },
      { at: 1_200, what: 'settled', state: 'succeeded', outcome: 'SUCCESS' },
      { at: 1_200, what: 'acknowledging', notice: ackKey },
    ],
    ...fields,
  })

/** With a doubt about the first segment. */
export const doubtedFile = (): Recorded => recordedFile({ effects: [effect('rows.1-10', 2, 1), effect('rows.11-12')] })

export const ackTimeline: Recorded['timeline'] = [
  { at: 1_200, what: 'accepted', generation: 1 },
  { at: 1_210, what: 'attempt', number: 1 },
  { at: 1_350, what: 'called', effect: 'acknowledge', state: 'confirmed' },
  { at: 1_360, what: 'settled', state: 'succeeded', outcome: 'SUCCESS' },
]

export const recordedAck = (ackType: AckType = 'SUCCESS', fields: Partial<Recorded> = {}): Recorded =>
  recorded(ackKey, {
    flow: 'acknowledgment',
    line: undefined,
    firstAcceptedAt: 1_200,
    payload: { flow: 'event-reservation', ack: told(ackType) },
    timeline: ackTimeline,
    ...fields,
  })

const scoreFile: Put = { transfer: transferKey, name: 'a.csv', sha256: 'f00', effect: 'send.1', at: 1_000 }

export const callScore: Call = {
  ...callCreate,
  operation: 'deviceScore',
  path: '/device-score/a.csv',
  body: { bytes: 3, sha256: 'f00' },
}

export const recordedTransfer = recorded(transferKey, {
  flow: 'device-score',
  line: undefined,
  payload: { transfer: 'alpha' },
  timeline: [
    { at: 1_010, what: 'accepted', generation: 1, by: 'schedule' },
    { at: 1_030, what: 'attempt', number: 1 },
    { at: 1_200, what: 'called', effect: 'send.1', state: 'confirmed' },
    { at: 1_210, what: 'settled', state: 'succeeded', outcome: 'SUCCESS' },
  ],
})

export const goodFiles: History = {
  ...good,
  sent: [sentFile],
  dacs: [callRows(1, 10), callRows(11, 12)],
  derms: [callAck('SUCCESS', 1_250), callScore],
  puts: [scoreFile],
  found: [{ transfer: transferKey, name: 'Sent-a.csv', sha256: 'f00' }],
  messages: [recordedFile(), recordedAck(), recordedTransfer],
}
