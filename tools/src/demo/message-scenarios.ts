import { examples } from '@tieline/contracts/examples'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { eventually } from '@tieline/testkit/eventually'
import type { DemoFarSides, Row } from './far-sides.ts'
import type { Scenario } from './scenario.ts'

const enrollment = examples['enrollment-request']
const record = enrollment.params[0]
const stage = examples['stage-status']
const sync = examples['enrollment-sync']
const check = examples['device-status-check']

const ackType = (row: Row): string =>
  readMsgAck(row.answers.at(-1)?.body)?.ackType ?? `HTTP ${row.answers.at(-1)?.status}`
const codes = (row: Row): string =>
  (readMsgAck(row.answers.at(-1)?.body)?.responses ?? []).map((one) => one.responseCode).join(' ')

/** Waits until DERMS has the result of its message, its own repeats included. */
const finished = (far: DemoFarSides, id: number) =>
  eventually(async () => {
    const row = (await far.derms.rows()).find((one) => one.id === id)
    return row?.done ? row : undefined
  })

const enrollmentOf = (...ids: string[]) => ({
  ...enrollment,
  params: ids.map((messageId) => ({ ...record, messageId })),
})
const stageOf = (id: string, status: string) => ({
  ...stage,
  messageId: `STG-${id}-${status}`,
  stageId: id,
  stageStatus: status,
})
const syncOf = (id: string) => ({
  sendDetails: {
    ...sync.sendDetails,
    syncRequestId: id,
    subscriptionInfo: { ...sync.sendDetails.subscriptionInfo, subscriptionId: `S${id.slice(3)}` },
  },
})
const checkOf = (id: string) => ({ sendDetails: { ...check.sendDetails, communicationId: id } })

/** What DERMS was told by call-back, its repeats included. */
const acksOf = async (far: DemoFarSides, sent: Promise<Row>) => {
  const { acks } = await finished(far, (await sent).id)
  return acks.map(({ ackType }) => ackType).join(', then ')
}

const reservationOf = (id: string) => ({ ...examples['event-reservation'], messageId: id, stageId: '9001' })
const outcomeOf = (id: string) => ({ ...examples['event-outcome'], messageId: id })
const devices = (id: string, rows: number, rest: string) =>
  Array.from({ length: rows }, (_, i) => `${id}-${i + 1},${rest}\n`).join('')

/** How many rows each call about the devices of a file carried. */
const segmentsOf = async (far: DemoFarSides, operation: string, id: string) =>
  (await far.dacs.received(operation)).flatMap(({ body }) => {
    const list = Object.values(body as Record<string, unknown>).find(Array.isArray) ?? []
    return JSON.stringify(list[0] ?? '').includes(`"${id}-`) ? [list.length] : []
  })

const callsOf = async (far: DemoFarSides, operation: string, id: string) =>
  (await far.dacs.received(operation)).filter(({ body }) => JSON.stringify(body).includes(`"${id}"`))

/** Messages that DERMS and DACS send: good, refused, target down, duplicate. */
export const messageScenarios: readonly Scenario[] = [
  {
    flow: 'F1 enrollment request',
    what: 'two enrollments',
    expected: 'SUCCESS; SUCCESS SUCCESS; DACS enrolled 2',
    async run(far) {
      const row = await far.derms.send('enrollment-request', enrollmentOf('DEMO-E1', 'DEMO-E2'))
      const calls = [
        ...(await callsOf(far, 'enrollProgram', 'DEMO-E1')),
        ...(await callsOf(far, 'enrollProgram', 'DEMO-E2')),
      ]
      return `${ackType(row)}; ${codes(row)}; DACS enrolled ${calls.filter(({ applied }) => applied).length}`
    },
  },
  {
    flow: 'F1 enrollment request',
    what: 'one good, one refused by DACS',
    expected: 'ERROR; SUCCESS ERROR',
    async run(far) {
      const bad = {
        ...record,
        messageId: 'DEMO-E4',
        programInfo: { ...record?.programInfo, programCode: 'NO-SUCH-PROGRAM' },
      }
      const row = await far.derms.send('enrollment-request', {
        ...enrollment,
        params: [{ ...record, messageId: 'DEMO-E3' }, bad],
      })
      return `${ackType(row)}; ${codes(row)}`
    },
  },
  {
    flow: 'F1 enrollment request',
    what: 'sent twice; the answer to the first was lost',
    expected: 'SUCCESS; applied once',
    async run(far) {
      await far.dacs.control('apply-then-drop', { operation: 'enrollProgram' })
      const row = await far.derms.send('enrollment-request', enrollmentOf('DEMO-E5'))
      const calls = await callsOf(far, 'enrollProgram', 'DEMO-E5')
      return `${ackType(row)}; applied ${calls.filter(({ applied }) => applied).length === 1 ? 'once' : 'more than once'}`
    },
  },
  {
    flow: 'F2 enrollment sync',
    what: 'customer and devices to DERMS, F3 comes back',
    expected: 'HTTP 200; sync request COMPLETED',
    async run(far) {
      const told = await far.dacs.send('enrollment-sync', syncOf('15449036987801'))
      const state = await eventually(async () => {
        const found = JSON.stringify(await far.dacs.state())
        const completed = /"syncRequestId":"15449036987801"[^{}]*"(?:state|status)":"(COMPLETED?|EXCEPTION)"/i.exec(
          found,
        )
        return completed?.[1]
      })
      return `HTTP ${told.status}; sync request ${state.toUpperCase()}`
    },
  },
  {
    flow: 'F2 enrollment sync',
    what: 'DERMS down: a fault to DACS, and DACS sends again',
    expected: 'HTTP 500, then 200',
    async run(far) {
      await far.derms.control('fail-next', { operation: 'enroll', status: 503, times: 20 })
      const told = await far.dacs.send('enrollment-sync', syncOf('15449036987802'))
      await far.derms.control('heal', {})
      const again = await far.dacs.send('enrollment-sync', syncOf('15449036987802'))
      return `HTTP ${told.status}, then ${again.status}`
    },
  },
  {
    flow: 'F3 sync acknowledgment',
    what: 'DERMS found a fault',
    expected: 'HTTP 202; DACS told of an error',
    async run(far) {
      await far.dacs.control('register', { syncRequestId: '15449036987803' })
      const response = { responseCode: 'ERROR', value: 'CIS_PERSON_ID is null', dacsMessageId: '15449036987803' }
      const whenISO = new Date().toISOString()
      const ack = {
        MsgAck: { ackType: 'ERROR', whenISO, responses: { response: [{ ...response, responseTimeISO: whenISO }] } },
      }
      const row = await far.derms.send('enrollment-sync-ack', ack)
      const [call] = await eventually(async () => {
        const calls = await callsOf(far, 'updateSyncRequest', '15449036987803')
        return calls.length > 0 ? calls : undefined
      })
      const told = JSON.stringify(call?.body).includes('"hasError":true') ? 'of an error' : 'nothing'
      return `HTTP ${row.answers[0]?.status}; DACS told ${told}`
    },
  },
  {
    flow: 'F4, F5 device status',
    what: 'DACS asks, DERMS answers later',
    expected: 'HTTP 200; DACS got SUCCESS',
    async run(far) {
      const told = await far.dacs.send('device-status-check', checkOf('20240901000000000000000000801'))
      const [call] = await eventually(async () => {
        const calls = await callsOf(far, 'postDeviceStatus', '20240901000000000000000000801')
        return calls.length > 0 ? calls : undefined
      })
      const status = /"status":"(\w+)"/.exec(JSON.stringify(call?.body))?.[1]
      return `HTTP ${told.status}; DACS got ${status}`
    },
  },
  {
    flow: 'F7 stage status',
    what: 'scheduled, then the cancel while the create is still failing',
    expected: 'SUCCESS SUCCESS; DACS saw createProgramEvent, actionProgramEvent',
    async run(far) {
      await far.dacs.control('fail-next', { operation: 'createProgramEvent', status: 503, times: 2 })
      const create = far.derms.send('stage-status', stageOf('9001', 'SCHEDULED'))
      await eventually(async () => (await callsOf(far, 'createProgramEvent', '9001')).length > 0)
      const cancel = far.derms.send('stage-status', stageOf('9001', 'CANCELED'))
      const rows = await Promise.all([create, cancel])
      const applied = [
        ...(await callsOf(far, 'createProgramEvent', '9001')),
        ...(await callsOf(far, 'actionProgramEvent', '9001')),
      ].filter((call) => call.applied)
      return `${rows.map(ackType).join(' ')}; DACS saw ${applied.map(({ operation }) => operation).join(', ')}`
    },
  },
  {
    flow: 'F7 stage status',
    what: 'the same message twice',
    expected: 'SUCCESS SUCCESS; one call',
    async run(far) {
      const message = stageOf('9002', 'SCHEDULED')
      const rows = [await far.derms.send('stage-status', message), await far.derms.send('stage-status', message)]
      const calls = await callsOf(far, 'createProgramEvent', '9002')
      return `${rows.map(ackType).join(' ')}; ${calls.length === 1 ? 'one call' : `${calls.length} calls`}`
    },
  },
  {
    flow: 'F7 stage status',
    what: 'a status without a row in StageStatus',
    expected: 'ERROR; DACS not called; DERMS does not repeat',
    async run(far) {
      const row = await far.derms.send('stage-status', stageOf('9003', 'PLANNED'))
      const calls = [
        ...(await callsOf(far, 'createProgramEvent', '9003')),
        ...(await callsOf(far, 'actionProgramEvent', '9003')),
      ]
      const { numRetries } = await finished(far, row.id)
      return `${ackType(row)}; DACS ${calls.length === 0 ? 'not called' : 'called'}; DERMS ${numRetries === 0 ? 'does not repeat' : 'repeats'}`
    },
  },
  {
    flow: 'F6 reservation',
    what: '2,500 devices for a stage, in segments of 1,000',
    expected: 'SUCCESS; 3 calls, 2500 devices',
    async run(far) {
      const file = `nicId,headEndSystemId\n${devices('RSV1', 2_500, 'NEST')}`
      const told = await acksOf(far, far.derms.sendFile('event-reservation', reservationOf('DEMO-R1'), file))
      const segments = await segmentsOf(far, 'reserveDevice', 'RSV1')
      return `${told}; ${segments.length} calls, ${segments.reduce((sum, rows) => sum + rows, 0)} devices`
    },
  },
  {
    flow: 'F6 reservation',
    what: 'a row lacks its last field: nothing is posted',
    expected: 'FAILURE; 0 calls',
    async run(far) {
      const file = `nicId,headEndSystemId\n${devices('RSV2', 1_200, 'NEST')}RSV2-1201\n`
      const sent = await far.derms.sendFile('event-reservation', reservationOf('DEMO-R2'), file)
      const [ack] = await eventually(async () => {
        const row = (await far.derms.rows()).find(({ id }) => id === sent.id)
        return row && row.acks.length > 0 ? row.acks : undefined
      })
      return `${ack?.ackType}; ${(await segmentsOf(far, 'reserveDevice', 'RSV2')).length} calls`
    },
  },
  {
    flow: 'F9 outcome',
    what: 'one segment of five fails; DERMS sends again, only that one goes again',
    expected: 'FAILURE, then SUCCESS; 6 calls',
    async run(far) {
      const file = `nicId,headEndSystemId,stageId,outcome\n${devices('OUT1', 1_000, 'NEST,9001,SUCCESS')}`
      await far.dacs.control('fail-next', { operation: 'postEventOutcome', status: 400, containing: '"OUT1-450"' })
      const told = await acksOf(far, far.derms.sendFile('event-outcome', outcomeOf('DEMO-O1'), file))
      return `${told}; ${(await segmentsOf(far, 'postEventOutcome', 'OUT1')).length} calls`
    },
  },
  {
    flow: 'F9 outcome',
    what: 'a row has an outcome without a row in EventOutcome',
    expected: 'ERROR; 399 of 400 rows in DACS',
    async run(far) {
      const file = `nicId,headEndSystemId,stageId,outcome\n${devices('OUT2', 399, 'NEST,9001,OVERRIDE')}OUT2-400,NEST,9001,ASLEEP\n`
      const told = await acksOf(far, far.derms.sendFile('event-outcome', outcomeOf('DEMO-O2'), file))
      const segments = await segmentsOf(far, 'postEventOutcome', 'OUT2')
      return `${told}; ${segments.reduce((sum, rows) => sum + rows, 0)} of 400 rows in DACS`
    },
  },
  {
    flow: 'ingress',
    what: 'a wrong password',
    expected: 'HTTP 401, application/problem+json',
    async run(_far, world) {
      const response = await fetch(`${world.urls.ingress}/derms/statusUpdate`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from('derms:wrong').toString('base64')}`,
        },
        body: JSON.stringify(stageOf('9004', 'SCHEDULED')),
      })
      return `HTTP ${response.status}, ${response.headers.get('content-type')?.split(';')[0]}`
    },
  },
]
