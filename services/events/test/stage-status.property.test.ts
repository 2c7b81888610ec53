import { isUtcDateTime } from '@tieline/contracts/date-time'
import { dacsProgramEvent, dacsProgramEventAction, stageStatus } from '@tieline/contracts/messages/stage-status'
import { TielineError } from '@tieline/runtime/error'
import { fakeAttempt, fakeDeps } from '@tieline/testkit/fakes'
import { parsePayload } from '@tieline/worker-service/parse-payload'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mapStageStatus } from '../src/mappings/stage-status.ts'
import { tablesWith } from './tables.ts'

const marker = 'Reyes-5550100'

const strange = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string().map((text) => `${marker}${text}`),
  fc.constantFrom('', null, undefined, 0, true, [], { deep: { er: 1 } }, '__proto__', 'constructor', 'toString'),
)
const id = fc.oneof({ weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 120 }) }, strange)
const dateTime = fc
  .tuple(
    fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
    fc.integer({ min: -13, max: 13 }),
  )
  .map(([date, hours]) => {
    const zone = hours === 0 ? 'Z' : `${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:30`
    return date.toISOString().replace('Z', zone)
  })
const code = (...known: string[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...known, ...known.map((word) => word.toLowerCase())) }, strange)

const message = fc.record(
  {
    drmsInstanceId: id,
    messageId: id,
    eventId: id,
    stageId: id,
    programCode: id,
    eventType: code('X1EC', 'X1EM', 'EMERGENCY', 'ODD'),
    stageStatus: code('SCHEDULED', 'CANCELED', 'COMPLETED', 'IN_PROGRESS', 'PLANNED', 'ODD'),
    stageStartDateTime: fc.oneof({ weight: 8, arbitrary: dateTime }, strange),
    stageEndDateTime: fc.oneof({ weight: 8, arbitrary: dateTime }, strange),
    cancelReason: fc.oneof(fc.string({ maxLength: 254 }), strange),
    somethingNew: fc.jsonValue(),
  },
  { requiredKeys: ['stageId', 'stageStatus'] },
)

const tables = tablesWith({
  StageStatus: [
    { DRMS_StageStatus: 'SCHEDULED', DACS_StageStatus: 'X1SD' },
    { DRMS_StageStatus: 'CANCELED', DACS_StageStatus: 'F1CN' },
    { DRMS_StageStatus: 'COMPLETED', DACS_StageStatus: 'F1CO' },
    { DRMS_StageStatus: 'IN_PROGRESS', DACS_StageStatus: 'X1IP' },
    { DRMS_StageStatus: 'ODD', DACS_StageStatus: 'no code at all' },
  ],
  EventType: [
    { DRMS_EventType: 'X1EC', DACS_EventType: 'X1EC' },
    { DRMS_EventType: 'EMERGENCY', DACS_EventType: 'X1EM' },
    { DRMS_EventType: 'ODD', DACS_EventType: 'no code at all' },
  ],
})

const { openReader } = fakeDeps()
const { attempt } = fakeAttempt('stage-status', {})
const tolerantly = (given: unknown) => openReader(attempt).read(stageStatus, given)
const strictly = (given: unknown) => parsePayload(stageStatus, given)

/** The call, or the refusal of the message. Anything else that is thrown fails the property. */
function mapped(payload: unknown, eventKey: 'stage' | 'event', read = strictly) {
  try {
    return { call: mapStageStatus(read(payload), tables, { eventKey }) }
  } catch (error) {
    if (error instanceof TielineError) return { error }
    throw error
  }
}

const payload = fc.oneof({ weight: 20, arbitrary: message }, fc.jsonValue())
const eventKey = fc.constantFrom('stage' as const, 'event' as const)

test('whatever comes in, what goes to DACS keeps the strict contract, or nothing goes', () => {
  let calls = 0
  fc.assert(
    fc.property(payload, eventKey, (given, key) => {
      const { call } = mapped(given, key)
      if (call === undefined) return
      calls += 1
      const contract = call.effect === 'create' ? dacsProgramEvent : dacsProgramEventAction
      expect(contract.safeParse(call.body).error).toBeUndefined()
      expect(Object.values(call.body)).not.toContain('')
      if (call.effect === 'create') {
        expect([call.body.startDateTime, call.body.endDateTime].every(isUtcDateTime)).toBe(true)
      } else expect(call.body.cancelReason === undefined || call.body.action === 'F1CN').toBe(true)
    }),
    { numRuns: 2_000 },
  )
  expect(calls).toBeGreaterThan(200)
})

test('what is read strictly makes the same call when it is read tolerantly, byte for byte', () => {
  let calls = 0
  fc.assert(
    fc.property(payload, eventKey, (given, key) => {
      const { call } = mapped(given, key)
      if (call === undefined) return
      calls += 1
      expect(JSON.stringify(mapped(given, key, tolerantly).call)).toBe(JSON.stringify(call))
    }),
    { numRuns: 2_000 },
  )
  expect(calls).toBeGreaterThan(200)
})

test('what is read tolerantly is mapped or refused for good, and a refusal quotes nothing', () => {
  fc.assert(
    fc.property(payload, eventKey, (given, key) => {
      const { call, error } = mapped(given, key, tolerantly)
      if (call?.effect === 'create')
        expect([call.body.startDateTime, call.body.endDateTime].every(isUtcDateTime)).toBe(true)
      if (error?.code === 'contract-violation') expect(error.message).not.toContain(marker)
    }),
    { numRuns: 2_000 },
  )
})

test('a message that is not mapped is refused for good, and a broken contract is told without its values', () => {
  let refusals = 0
  fc.assert(
    fc.property(payload, eventKey, (given, key) => {
      const { error } = mapped(given, key)
      if (error === undefined) return
      refusals += 1
      expect(error.retry.kind).toBe('never')
      expect(['contract-violation', 'lookup-missing']).toContain(error.code)
      if (error.code === 'contract-violation') expect(error.message).not.toContain(marker)
    }),
    { numRuns: 2_000 },
  )
  expect(refusals).toBeGreaterThan(200)
})
