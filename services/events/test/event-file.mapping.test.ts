import { readFileSync } from 'node:fs'
import { examples } from '@tieline/contracts/examples'
import { eventOutcome, outcomeRow } from '@tieline/contracts/messages/event-outcome'
import { eventReservation, reservationRow } from '@tieline/contracts/messages/event-reservation'
import { TielineError } from '@tieline/runtime/error'
import { fakeAttempt, fakeDeps } from '@tieline/testkit/fakes'
import { readEventRows } from '@tieline/worker-service/event-rows'
import { parsePayload } from '@tieline/worker-service/parse-payload'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventFile, RowContext } from '../src/event-file.ts'
import { outcomeFile } from '../src/mappings/event-outcome.ts'
import { reservationFile } from '../src/mappings/event-reservation.ts'
import { tablesWith } from './tables.ts'

const { attempt } = fakeAttempt('event-outcome', {})
const { readRow } = fakeDeps().openReader(attempt)
const context: RowContext = { lookups: tablesWith(), compat: { eventKey: 'stage', codes: {} }, readRow }
const byEvent: RowContext = { ...context, compat: { eventKey: 'event', codes: {} } }

/** What the file of a golden example becomes. */
async function bodyOf<Message extends { readonly messageId: string }, Item>(file: EventFile<Message, Item>) {
  const bytes = readFileSync(new URL(`../../../packages/contracts/examples/${file.flow}.csv`, import.meta.url))
  const rows = (await Array.fromAsync(readEventRows(once(bytes), { flow: file.flow, emptyRows: 'passed-over' }))).flat()
  const message = file.message.parse(examples[file.flow])
  return file.toBody(
    message,
    rows.map(({ values }) => file.toItem(values, context)),
    context,
  )
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

describe('golden examples', () => {
  test('a reservation, byte for byte', async () => {
    expect(JSON.stringify(await bodyOf(reservationFile))).toBe(JSON.stringify(examples['event-reservation.to-dacs']))
  })

  test('an outcome, byte for byte', async () => {
    expect(JSON.stringify(await bodyOf(outcomeFile))).toBe(JSON.stringify(examples['event-outcome.to-dacs']))
  })
})

describe('a row of a reservation', () => {
  const row = { recordId: '1', nicId: 'NIC-1', headEndSystemId: 'NEST' }
  test.each([
    ['without times has none: DACS then takes those of the event', {}, {}],
    ['with empty times has none', { reservationStartDateTime: '', reservationEndDateTime: '' }, {}],
    [
      'has its times in UTC',
      { reservationStartDateTime: '2024-09-01T11:00:00-07:00', reservationEndDateTime: '2024-09-01T20:00:00.5Z' },
      { reservationStartDateTime: '2024-09-01T18:00:00Z', reservationEndDateTime: '2024-09-01T20:00:00.5Z' },
    ],
    [
      'has times of another form in that of the contract',
      { reservationStartDateTime: '2026-07-01 11:00:00-0700', reservationEndDateTime: '2026-07-01T20:00' },
      { reservationStartDateTime: '2026-07-01T18:00:00Z', reservationEndDateTime: '2026-07-01T20:00:00Z' },
    ],
    ['has a record id of any length, which nobody has published', { recordId: '1'.repeat(300) }, {}],
    ['keeps its values as they are', { nicId: ' nic ' }, { nicId: ' nic ' }],
  ])('%s', (_, given, expected) => {
    const item = reservationFile.toItem({ ...row, ...given }, context)
    expect(item).toEqual({ nicId: 'NIC-1', headEndSystem: 'NEST', ...expected })
  })

  test.each([
    [{ nicId: '' }, 'nicId: must not be empty'],
    [{ nicId: 'N\u00001' }, 'nicId: holds a control character'],
    [{ headEndSystemId: 'NE\nST' }, 'headEndSystemId: holds a control character'],
    [{ nicId: 'x'.repeat(101) }, 'nicId: at most 100 characters'],
    [{ headEndSystemId: '' }, 'headEndSystemId: must not be empty'],
    [{ headEndSystemId: 'x'.repeat(51) }, 'headEndSystemId: at most 50 characters'],
    [{ reservationStartDateTime: '01.09.2024 18:00' }, 'reservationStartDateTime: expected date-time'],
    [{ reservationEndDateTime: '2024-02-30T18:00:00Z' }, 'reservationEndDateTime: expected date-time'],
  ])('that breaks its contract is left out: %o', (given, message) => {
    expect(() => reservationFile.toItem({ ...row, ...given }, context)).toThrow(
      expect.objectContaining({ code: 'contract-violation', message }),
    )
  })
})

describe('the call of a reservation', () => {
  const message = eventReservation.parse(examples['event-reservation'])
  const items = [{ nicId: 'NIC-1', headEndSystem: 'NEST' }]
  test.each([
    ['names the stage', {}, context, { eventExternalIdentifier: '1315' }],
    ['names the event where there is no stage', { stageId: '' }, context, { eventExternalIdentifier: '1301' }],
    ['names the event where the installation says so', {}, byEvent, { eventExternalIdentifier: '1301' }],
    ['has its times in UTC', { eventStartDateTime: '2024-09-01T11:00:00-07:00' }, context, {}],
  ])('%s', (_, given, of, expected) => {
    expect(reservationFile.toBody({ ...message, ...given }, items, of)).toEqual({
      ...examples['event-reservation.to-dacs'],
      ...expected,
      deviceList: items,
    })
  })

  test('has no times when the message has none', () => {
    const without = { ...message, eventStartDateTime: '' as const, eventEndDateTime: null }
    expect(reservationFile.toBody(without, items, context)).toEqual({
      eventExternalIdentifier: '1315',
      deviceList: items,
    })
  })

  test('cannot be made without the id that the installation wants', () => {
    expect(() => reservationFile.toBody({ ...message, eventId: '' }, items, byEvent)).toThrow(
      'eventId: must not be empty',
    )
  })
})

describe('a row of an outcome', () => {
  const row = { eventId: '1301', stageId: '1315', nicId: 'NIC-1', headEndSystemId: 'NEST', outcome: 'SUCCESS' }
  const item = { eventExternalIdentifier: '1315', nicId: 'NIC-1', headEndSystem: 'NEST', outcome: 'D1SP' }

  test.each([
    ['SUCCESS', 'D1SP'],
    ['OVERRIDE', 'D1IO'],
    ['NON_RESPONSIVE', 'D1ND'],
    ['REJECTED', 'D1ER'],
    ['ERROR', 'D1ER'],
    ['CANCELED', 'D1CN'],
    ['D1IO', 'D1IO'],
    ['success', 'D1SP'],
  ])('%s is %s', (outcome, code) => {
    expect(outcomeFile.toItem({ ...row, outcome }, context)).toEqual({ ...item, outcome: code })
  })

  test.each([
    ['the event where there is no stage', { stageId: '' }, context, { eventExternalIdentifier: '1301' }],
    ['the event where the installation says so', {}, byEvent, { eventExternalIdentifier: '1301' }],
    [
      'its times in UTC',
      { participationEndDateTime: '2024-09-01T13:00:00-07:00' },
      context,
      { participationEndDateTime: '2024-09-01T20:00:00Z' },
    ],
    ['no error message with a success', { errorMessage: 'none' }, context, {}],
  ])('has %s', (_, given, of, expected) => {
    expect(outcomeFile.toItem({ ...row, ...given }, of)).toEqual({ ...item, ...expected })
  })

  test.each([
    ['its error message', 'No signal', 'No signal'],
    ['100 characters of a longer one', 'é'.repeat(150), 'é'.repeat(100)],
    ['no half of a character', `${'x'.repeat(99)}\u{1F321}`, 'x'.repeat(99)],
  ])('that is no success has %s', (_, given, errorMessage) => {
    expect(outcomeFile.toItem({ ...row, outcome: 'OVERRIDE', errorMessage: given }, context)).toEqual({
      ...item,
      outcome: 'D1IO',
      errorMessage,
    })
  })

  test.each([
    [{ outcome: 'ASLEEP' }, context, 'lookup-missing', 'EventOutcome has no row for "ASLEEP"'],
    [{ outcome: '' }, context, 'contract-violation', 'outcome: must not be empty'],
    [{ stageId: '', eventId: '' }, context, 'contract-violation', 'stageId: needs stageId or eventId'],
    [{ eventId: '' }, byEvent, 'contract-violation', 'eventId: must not be empty'],
    [{ nicId: '' }, context, 'contract-violation', 'nicId: must not be empty'],
  ])('that breaks its contract or a lookup is left out: %o', (given, of, code, message) => {
    expect(() => outcomeFile.toItem({ ...row, ...given }, of)).toThrow(expect.objectContaining({ code, message }))
  })

  test('is left out when the lookup gives a code that DACS does not have, unless the installation knows it', () => {
    const lookups = tablesWith({ EventOutcome: [{ DRMS_EventOutcome: 'SUCCESS', DACS_EventOutcome: 'GOOD' }] })
    const compat = { ...context.compat, codes: { eventOutcome: ['GOOD'] } }
    expect(outcomeFile.toItem(row, { ...context, lookups, compat })).toMatchObject({ outcome: 'GOOD' })
    expect(() => outcomeFile.toItem(row, { ...context, lookups })).toThrow(
      'EventOutcome gives "GOOD" for "SUCCESS", which is none of D1SP, D1IO, D1ND, D1ER, D1CN',
    )
  })
})

test('a row that a strict reading takes becomes the same item when it is read tolerantly, byte for byte', () => {
  const strict: RowContext = { ...context, readRow: (contract, values) => parsePayload(contract, values) }
  const value = fc.oneof(fc.constantFrom('', '2024-09-01T18:00:00Z', '2024-09-01T11:00:00.5-07:00', 'N1'), fc.string())
  const files = [
    [reservationFile, Object.keys(reservationRow.shape), { nicId: 'N1', headEndSystemId: 'NEST' }],
    [
      outcomeFile,
      Object.keys(outcomeRow.shape),
      { nicId: 'N1', headEndSystemId: 'NEST', stageId: '1315', outcome: 'SUCCESS' },
    ],
  ] as const
  for (const [file, columns, good] of files) {
    let taken = 0
    const names = fc.constantFrom(...columns)
    fc.assert(
      fc.property(fc.dictionary(names, value, { maxKeys: 3 }), (change) => {
        const row = { ...good, ...change }
        const item = itemOf(file, row, strict)
        if (item === undefined) return
        taken += 1
        expect(JSON.stringify(itemOf(file, row, context))).toBe(JSON.stringify(item))
      }),
      { numRuns: 500 },
    )
    expect(taken).toBeGreaterThan(50)
  }
})

/** Undefined for a row that is left out. */
function itemOf(file: Pick<EventFile<never, unknown>, 'toItem'>, row: Record<string, string>, of: RowContext): unknown {
  try {
    return file.toItem(row, of)
  } catch (error) {
    if (error instanceof TielineError) return undefined
    throw error
  }
}

test('the JSON of an outcome needs nothing but its id', () => {
  expect(eventOutcome.safeParse({ messageId: 'OUT-1' }).success).toBe(true)
  expect(eventOutcome.safeParse({}).success).toBe(false)
})
