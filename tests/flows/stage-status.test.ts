import { startDacsSimulator } from '@tieline/simulators/start'
import { credentials } from '@tieline/testkit/installation'
import { describe, expect, test } from 'vitest'
import {
  acknowledged,
  calls,
  canceled,
  cancellation,
  creation,
  expectNoMail,
  keyOf,
  mailed,
  openPipeline,
  reached,
  scheduled,
  send,
} from './stages.ts'

const { messageId } = scheduled
const acting = (stageStatus: string) => ({
  drmsInstanceId: 'SITE1',
  messageId: 'STG-1315-3',
  stageId: '1315',
  stageStatus,
})

describe('success', () => {
  test('SCHEDULED creates the program event of the stage, and DERMS is told SUCCESS', async () => {
    await using pipeline = await openPipeline()
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('SUCCESS', scheduled))
    expect(calls(pipeline)).toEqual([{ operation: 'createProgramEvent', body: creation, answered: 200 }])
    expect(await pipeline.until(keyOf(scheduled), 'succeeded')).toMatchObject({
      outcome: 'SUCCESS',
      generation: 1,
      attempts: 1,
      line: 'stage-status.SITE1.1315',
      effects: [{ id: 'create', state: 'confirmed', tries: 1, connection: 'DACS_MAIN', status: 200 }],
    })
    await expectNoMail(pipeline)
  })

  test.each([
    ['IN_PROGRESS', acting('IN_PROGRESS'), { eventExternalIdentifier: '1315', action: 'X1IP' }],
    ['COMPLETED', acting('COMPLETED'), { eventExternalIdentifier: '1315', action: 'F1CO' }],
    ['CANCELED', canceled, cancellation],
    ['in_progress, in small letters', acting('in_progress'), { eventExternalIdentifier: '1315', action: 'X1IP' }],
    ['CANCELED of an unknown event type', { ...canceled, eventType: 'STORM' }, cancellation],
  ])('%s acts on it', async (_status, message, body) => {
    await using pipeline = await openPipeline()
    await send(pipeline, scheduled)
    if (body.action === 'F1CO') await send(pipeline, { ...acting('IN_PROGRESS'), messageId: 'STG-1315-2' })
    expect(await send(pipeline, message)).toEqual(acknowledged('SUCCESS', message))
    expect(calls(pipeline).at(-1)).toEqual({ operation: 'actionProgramEvent', body, answered: 200 })
    expect(pipeline.dacs.programEvents.get('1315')?.history.at(-1)).toBe(body.action)
    await expectNoMail(pipeline)
  })

  test('the words and the small letters of the lookups are understood: scheduled, ECONOMIC, EMERGENCY', async () => {
    await using pipeline = await openPipeline()
    for (const [stageId, eventType, programEventCategory] of [
      ['1', 'ECONOMIC', 'X1EC'],
      ['2', 'emergency', 'X1EM'],
      ['3', 'X1RE', 'X1RE'],
    ] as const) {
      const message = { ...scheduled, messageId: `M-${stageId}`, stageId, eventType, stageStatus: 'scheduled' }
      expect(await send(pipeline, message)).toEqual(acknowledged('SUCCESS', message))
      const body = { ...creation, externalIdentifier: stageId, programEventCategory }
      expect(calls(pipeline).at(-1)).toEqual({ operation: 'createProgramEvent', body, answered: 200 })
    }
  })

  test('URLs of today lead here: both forms of OIC, any project and version, and the names of chapter 2', async () => {
    await using pipeline = await openPipeline()
    const flows = '/flows/oracleutilities'
    const paths = [
      '/derms/statusUpdate',
      '/derms/stage-status-to-dacs',
      `/ic/api/integration/v2${flows}/project/OUTL-BA-DACS_DERMS/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate`,
      `/ic/api/integration/v2${flows}/project/OTHER/OUTL-BA-DRMS_DACS_STAGE_STAT_UPD/02.01.0000/stage-status-to-dacs`,
      `/ic/api/integration/v1${flows}/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate`,
      '/ic/api/integration/v1/flows/rest/OUTL-BA-DRMS_DACS_STAGE_STAT_UPD/1.0/stage-status-to-dacs',
    ]
    for (const [index, path] of paths.entries()) {
      const message = { ...scheduled, messageId: `M-${index}`, stageId: `S-${index}` }
      expect(await send(pipeline, message, { path })).toEqual(acknowledged('SUCCESS', message))
    }
    expect([...pipeline.dacs.programEvents.keys()]).toEqual(paths.map((_, index) => `S-${index}`))
  })

  test('a message without an instance speaks for the only one of its client, and goes where Routing leads', async () => {
    const client = { name: 'derms', instances: ['SITE1'], credentials: [{ basic: credentials.derms }] }
    await using pipeline = await openPipeline({
      connections: { DACS_OTHER: { kind: 'dacs', baseUrl: 'http://127.0.0.1:9', auth: 'none' } },
      lookups: {
        Routing:
          'DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection\nSITE1,DERMS_SITE1,,DACS_MAIN\nSITE2,DERMS_SITE1,,DACS_OTHER\n',
      },
      sections: { ingress: { clients: [{ ...client, flows: ['stage-status'] }] } },
    })
    const { drmsInstanceId: _, ...message } = scheduled
    expect(await send(pipeline, message)).toEqual(acknowledged('SUCCESS', message))
    expect(calls(pipeline)).toEqual([{ operation: 'createProgramEvent', body: creation, answered: 200 }])
    expect(await pipeline.until(keyOf(scheduled), 'succeeded')).toMatchObject({ line: 'stage-status.SITE1.1315' })
  })
})

describe('invalid input: ERROR and an e-mail, DACS is not called', () => {
  test.each([
    [
      'a status without a row',
      { ...scheduled, stageStatus: 'PLANNED' },
      'lookup-missing',
      'StageStatus has no row for "PLANNED"',
    ],
    [
      'a status nobody knows',
      { ...canceled, messageId, stageStatus: 'Frozen' },
      'lookup-missing',
      'StageStatus has no row for "FROZEN"',
    ],
    [
      'an event type without a row',
      { ...scheduled, eventType: 'STORM' },
      'lookup-missing',
      'EventType has no row for "STORM"',
    ],
    [
      'a creation without its fields',
      {
        messageId,
        stageId: '1315',
        stageStatus: 'SCHEDULED',
        drmsInstanceId: 'SITE1',
        programCode: '',
        stageEndDateTime: '',
      },
      'contract-violation',
      'The message breaks its contract: eventId: expected string; programCode: must not be empty; eventType: expected string; ' +
        'stageStartDateTime: expected string; stageEndDateTime: expected date-time',
    ],
    [
      'a message without a stage',
      { messageId, drmsInstanceId: 'SITE1', stageStatus: 'CANCELED' },
      'contract-violation',
      'The message breaks its contract: stageId: expected string',
    ],
  ])('%s', async (_what, message, code, value) => {
    await using pipeline = await openPipeline()
    expect(await send(pipeline, message)).toEqual(acknowledged('ERROR', { messageId }, value))
    expect(calls(pipeline)).toEqual([])
    const seen = await pipeline.until(keyOf(scheduled), 'refused')
    expect(seen).toMatchObject({ outcome: 'ERROR', code, reason: value, attempts: 1, effects: [] })
    expect((await mailed(pipeline, code, scheduled)).text).toContain(value)
    expect(pipeline.mailbox.mails).toHaveLength(1)
  })

  test('what is no JSON object is refused with 400 and not recorded', async () => {
    await using pipeline = await openPipeline()
    for (const text of ['{"messageId": "STG-1', '', '["SCHEDULED"]', 'null']) {
      const { status, headers, body } = await pipeline.post('stage-status', text)
      expect(status).toBe(400)
      expect(headers.get('content-type')).toBe('application/problem+json')
      expect(body).toMatchObject({ status: 400, code: 'malformed-body' })
    }
    expect(await pipeline.messages()).toEqual([])
    expect(calls(pipeline)).toEqual([])
  })

  test('two DACS and no row of Routing for the instance; with a row its DACS gets the message, the other none', async () => {
    await using one = await startDacsSimulator({ auth: { basic: credentials.dacsTarget } })
    await using two = await startDacsSimulator({ auth: { basic: credentials.dacsTarget } })
    const connection = (url: string) => ({
      kind: 'dacs',
      baseUrl: `${url}/rest/apis`,
      auth: { basic: credentials.dacsTarget },
    })
    await using pipeline = await openPipeline({
      sections: { connections: { ONE: connection(one.url), TWO: connection(two.url) } },
      lookups: { Routing: 'DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection\nSITE2,,,TWO\n' },
    })
    const value = 'Routing has no row for DRMS_Instance "SITE1", and there are 2 dacs connections'
    expect(await send(pipeline, scheduled)).toEqual(acknowledged('ERROR', scheduled, value))
    expect(await pipeline.until(keyOf(scheduled), 'refused')).toMatchObject({ code: 'routing-missing', effects: [] })
    expect((await mailed(pipeline, 'routing-missing', scheduled)).text).toContain(value)

    expect(await send(pipeline, { ...scheduled, drmsInstanceId: 'SITE2' })).toEqual(acknowledged('SUCCESS', scheduled))
    expect(one.simulator.received).toEqual([])
    expect(two.simulator.received).toMatchObject([{ body: creation, answered: 200 }])
  })
})

describe('what the installation decides', () => {
  test('compat.eventKey event: actions name the event instead of the stage', async () => {
    await using pipeline = await openPipeline({ sections: { compat: { eventKey: 'event' } } })
    await send(pipeline, scheduled)
    expect(await send(pipeline, canceled)).toEqual(acknowledged('SUCCESS', canceled))
    expect(calls(pipeline).map(({ body }) => body)).toEqual([
      creation,
      { ...cancellation, eventExternalIdentifier: '1301' },
    ])
    const { eventId: _, ...without } = { ...canceled, messageId: 'STG-1315-9' }
    const value = 'The message breaks its contract: eventId: expected string'
    expect(await send(pipeline, without)).toEqual(acknowledged('ERROR', without, value))
  })

  test('compat.msgAckWrapper false: the acknowledgment has no wrapper, the provisional one neither', async () => {
    const sections = { compat: { msgAckWrapper: false }, flows: { 'stage-status': { replyWithinS: 1 } } }
    await using pipeline = await openPipeline({ sections })
    const { MsgAck } = acknowledged('SUCCESS', scheduled).body
    expect(await send(pipeline, scheduled)).toEqual({ status: 200, body: MsgAck })
    pipeline.dacs.latency({ ms: 1_400 })
    const provisional = acknowledged('FAILURE', canceled, 'IN_PROGRESS').body.MsgAck
    expect(await send(pipeline, canceled)).toEqual({ status: 200, body: provisional })
    await reached(pipeline, 2)
  })
})
