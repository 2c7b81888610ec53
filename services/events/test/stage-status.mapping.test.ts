import { examples } from '@tieline/contracts/examples'
import { stageStatus } from '@tieline/contracts/messages/stage-status'
import { parsePayload } from '@tieline/worker-service/parse-payload'
import { describe, expect, test } from 'vitest'
import { mapStageStatus } from '../src/mappings/stage-status.ts'
import { tablesWith } from './tables.ts'

const scheduled = examples['stage-status']
const canceled = examples['stage-status.cancel']
const completed = { stageId: '1315', stageStatus: 'COMPLETED' }

type EventKey = 'stage' | 'event'

const map = (payload: unknown, tables = tablesWith(), eventKey: EventKey = 'stage') =>
  mapStageStatus(parsePayload(stageStatus, payload), tables, { eventKey })

describe('golden examples', () => {
  test('a scheduled stage creates its program event, byte for byte', () => {
    const call = map(scheduled)
    expect(call).toMatchObject({ effect: 'create', operation: 'createProgramEvent' })
    expect(JSON.stringify(call.body)).toBe(JSON.stringify(examples['stage-status.to-dacs']))
  })

  test('a canceled stage acts on it, byte for byte', () => {
    const call = map(canceled)
    expect(call).toMatchObject({ effect: 'act', operation: 'actionProgramEvent' })
    expect(JSON.stringify(call.body)).toBe(JSON.stringify(examples['stage-status.cancel-to-dacs']))
  })
})

describe('fields of the creation', () => {
  test.each([
    ['eventId is the event identifier', { eventId: 'E-7' }, { eventExternalIdentifier: 'E-7' }],
    ['stageId is the identifier', { stageId: 'S-7' }, { externalIdentifier: 'S-7' }],
    ['programCode is the program', { programCode: 'EV-WINTER' }, { programExternalIdentifier: 'EV-WINTER' }],
    ['eventType goes through EventType as a code', { eventType: 'X1RE' }, { programEventCategory: 'X1RE' }],
    ['eventType goes through EventType as a word', { eventType: 'EMERGENCY' }, { programEventCategory: 'X1EM' }],
    ['eventType is compared without case', { eventType: 'economic' }, { programEventCategory: 'X1EC' }],
    ['a start in UTC stays', { stageStartDateTime: '2024-09-01T18:00:00Z' }, { startDateTime: '2024-09-01T18:00:00Z' }],
    [
      'another zone is converted',
      { stageStartDateTime: '2024-09-01T11:00:00-07:00' },
      { startDateTime: '2024-09-01T18:00:00Z' },
    ],
    [
      'an end is converted too',
      { stageEndDateTime: '2024-09-02T05:30:00+05:30' },
      { endDateTime: '2024-09-02T00:00:00Z' },
    ],
    ['drmsInstanceId is not sent', { drmsInstanceId: 'SITE9' }, {}],
    ['messageId is not sent', { messageId: 'M-9' }, {}],
    ['a cancel reason is not sent', { cancelReason: 'none' }, {}],
    ['unknown fields are not sent', { somethingNew: 'x' }, {}],
    ['the status is compared without case', { stageStatus: 'scheduled' }, {}],
  ])('%s', (_rule, given, expected) => {
    const call = map({ ...scheduled, ...given })
    expect(call).toEqual({
      effect: 'create',
      operation: 'createProgramEvent',
      body: { ...examples['stage-status.to-dacs'], ...expected },
    })
  })

  test.each(['eventId', 'programCode', 'eventType', 'stageStartDateTime', 'stageEndDateTime'])(
    'nothing is created without %s, whether it is missing, null or empty',
    (field) => {
      for (const nothing of [undefined, null, '']) {
        expect(() => map({ ...scheduled, [field]: nothing })).toThrow(
          expect.objectContaining({ code: 'contract-violation', message: expect.stringContaining(field) }),
        )
      }
    },
  )
})

describe('fields of the action', () => {
  test.each([
    ['COMPLETED', 'F1CO'],
    ['IN_PROGRESS', 'X1IP'],
    ['CANCELED', 'F1CN'],
    ['in_progress', 'X1IP'],
  ])('%s becomes %s', (status, action) => {
    expect(map({ stageId: '1315', stageStatus: status }).body).toEqual({ eventExternalIdentifier: '1315', action })
  })

  test.each([
    [
      'a cancellation carries its reason',
      { ...canceled, cancelReason: 'Storm' },
      { action: 'F1CN', cancelReason: 'Storm' },
    ],
    ['an empty reason is left out', { ...canceled, cancelReason: '' }, { action: 'F1CN' }],
    ['no reason is left out', { ...canceled, cancelReason: null }, { action: 'F1CN' }],
    ['only a cancellation carries a reason', { ...completed, cancelReason: 'Storm' }, { action: 'F1CO' }],
    ['nothing but stage and status is needed', completed, { action: 'F1CO' }],
    ['an unknown event type does not matter', { ...completed, eventType: 'STORM' }, { action: 'F1CO' }],
  ])('%s', (_rule, given, expected) => {
    expect(map(given).body).toEqual({ eventExternalIdentifier: '1315', ...expected })
  })

  test('the installation says whether DACS gets the id of the stage or that of the event', () => {
    expect(map(canceled, tablesWith(), 'stage').body).toMatchObject({ eventExternalIdentifier: '1315' })
    expect(map(canceled, tablesWith(), 'event').body).toMatchObject({ eventExternalIdentifier: '1301' })
    expect(() => map(completed, tablesWith(), 'event')).toThrow(
      expect.objectContaining({ code: 'contract-violation', message: expect.stringContaining('eventId') }),
    )
  })
})

describe('lookups', () => {
  test.each(['PLANNED', 'FORCED_CANCELED', 'ARCHIVED'])('%s has no row and is named', (status) => {
    expect(() => map({ ...scheduled, stageStatus: status.toLowerCase() })).toThrow(
      expect.objectContaining({ code: 'lookup-missing', message: `StageStatus has no row for "${status}"` }),
    )
  })

  test('a row that is added decides: FORCED_CANCELED can cancel', () => {
    const tables = tablesWith({ StageStatus: [{ DRMS_StageStatus: 'FORCED_CANCELED', DACS_StageStatus: 'F1CN' }] })
    expect(map({ ...canceled, stageStatus: 'FORCED_CANCELED' }, tables).body).toEqual(
      examples['stage-status.cancel-to-dacs'],
    )
  })

  test('it is the code of DACS that decides on creation, not the word of DERMS', () => {
    const tables = tablesWith({ StageStatus: [{ DRMS_StageStatus: 'PLANNED', DACS_StageStatus: 'X1SD' }] })
    expect(map({ ...scheduled, stageStatus: 'PLANNED' }, tables)).toMatchObject({ effect: 'create' })
  })

  test('an unknown event type keeps an event from being created', () => {
    expect(() => map({ ...scheduled, eventType: 'STORM' })).toThrow(
      expect.objectContaining({ code: 'lookup-missing', message: 'EventType has no row for "STORM"' }),
    )
  })

  test('codes of an installation of its own go to DACS as they are', () => {
    const tables = tablesWith({ StageStatus: [{ DRMS_StageStatus: 'ARCHIVED', DACS_StageStatus: 'CMAR' }] })
    const types = tablesWith({ EventType: [{ DRMS_EventType: 'TRIAL', DACS_EventType: 'CMTR' }] })
    expect(map({ ...canceled, stageStatus: 'archived' }, tables)).toEqual({
      effect: 'act',
      operation: 'actionProgramEvent',
      body: { eventExternalIdentifier: '1315', action: 'CMAR' },
    })
    expect(map({ ...scheduled, eventType: 'TRIAL' }, types).body).toMatchObject({ programEventCategory: 'CMTR' })
  })
})
