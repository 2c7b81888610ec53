import { renderMsgAck, usualMsgAckForm } from '@tieline/contracts/msg-ack'
import { enrollmentSync, stageStatus } from '@tieline/tools/chaos/bodies'
import type { Call, History, Recorded, Sent } from '@tieline/tools/chaos/history'

/** A small history in which every property holds; a test plants one fault in a copy of it. */

const create = stageStatus('7', 'SCHEDULED').body
const act = stageStatus('7', 'IN_PROGRESS').body

export const createKey = 'stage-status.SITE1.STG-7-SCHEDULED'
export const actKey = 'stage-status.SITE1.STG-7-IN_PROGRESS'

export const ack = (ackType: 'SUCCESS' | 'ERROR' | 'FAILURE', value = '', at = 'one time') =>
  renderMsgAck(
    { ackType, whenISO: at, responses: [{ value, responseCode: ackType, responseTimeISO: at }] },
    usualMsgAckForm,
  )

export const sentCreate: Sent = {
  flow: 'stage-status',
  key: createKey,
  body: create(0),
  version: 'v0',
  at: 1_000,
  answeredAt: 1_200,
  status: 200,
  reply: ack('SUCCESS'),
}

export const callCreate: Call = {
  operation: 'createProgramEvent',
  path: '/',
  body: { externalIdentifier: '7' },
  at: 1_100,
  answered: 200,
  applied: true,
}

export const callAct: Call = {
  operation: 'actionProgramEvent',
  path: '/',
  body: { eventExternalIdentifier: '7', action: 'X1IP' },
  at: 1_400,
  answered: 200,
  applied: true,
}

/** A message that was accepted, called once and settled, unless told otherwise. */
export function recorded(key: string, fields: Partial<Recorded> = {}): Recorded {
  return {
    key,
    flow: 'stage-status',
    instance: 'SITE1',
    id: key.split('.')[2] ?? '',
    client: 'derms',
    state: 'succeeded',
    stateAt: 1_190,
    firstAcceptedAt: 1_010,
    generation: 1,
    attempts: 1,
    outcome: 'SUCCESS',
    code: undefined,
    nextAt: undefined,
    line: 'stage-status.SITE1.7',
    division: undefined,
    connections: [],
    changed: false,
    effects: [],
    seq: 1,
    payload: create(0),
    timeline: timeline(1_010, 'create'),
    ...fields,
  }
}

const timeline = (at: number, effect: string): Recorded['timeline'] => [
  { at, what: 'accepted', generation: 1 },
  { at: at + 20, what: 'attempt', number: 1 },
  { at: at + 150, what: 'called', effect, state: 'confirmed' },
  { at: at + 180, what: 'settled', state: 'succeeded', outcome: 'SUCCESS' },
]

export const recordedAct = recorded(actKey, {
  seq: 2,
  firstAcceptedAt: 1_310,
  payload: act(0),
  timeline: timeline(1_310, 'act'),
})

export const good: History = {
  sent: [sentCreate],
  dacs: [callCreate, callAct],
  derms: [],
  puts: [],
  found: [],
  messages: [recorded(createKey), recordedAct],
  faults: [],
  bulks: [],
  recovery: { faultsEndedAt: 2_000, deadline: 32_000, settledAt: 2_100, idle: [] },
}

export const syncKey = 'enrollment-sync.dacs.20000000000001'
export const syncBody = enrollmentSync('20000000000001', 'SUB-1').body
