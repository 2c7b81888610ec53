import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import { accept } from '@tieline/journal/intake'
import { readStoredPayload } from '@tieline/journal/operations'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { filePart, jsonPart, multipart, reservation } from './file-requests.ts'
import { basic, openIngress, settling, stageStatus, succeeded, syncAck } from './harness.ts'

/** Two regions with a DERMS each, at one DACS. Nothing is said about division X. */
const routing = `DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection
NORTH-7,DERMS_N,N,DACS
SOUTH-1,DERMS_S,S,DACS
SOUTH-2,DERMS_S,S2,DACS
`
const connection = { baseUrl: 'http://127.0.0.1:9', auth: 'none' }
const connections = {
  DACS: { kind: 'dacs', ...connection },
  DERMS_N: { kind: 'derms', ...connection },
  DERMS_S: { kind: 'derms', ...connection },
}
const client = (name: string, instances?: string[]) => ({
  name,
  ...(instances && { instances }),
  flows: inboundFlowIds,
  credentials: [{ basic: { username: name, password: `pw-${name}` } }],
})
const clients = [
  client('north', ['NORTH-7']),
  client('south', ['SOUTH-1']),
  client('souths', ['SOUTH-1', 'SOUTH-2']),
  client('all'),
]

let ingress: Awaited<ReturnType<typeof openIngress>>
const opened = new AsyncDisposableStack()
const processors = (['enrollment-sync', 'device-status-check', 'stage-status', 'device-status-ack'] as const).map(
  (flow) => settling(flow, () => succeeded({ flow })),
)

beforeAll(async () => {
  const directory = opened.use(await mkdtempDisposable(join(tmpdir(), 'tieline-rights-'))).path
  await writeFile(join(directory, 'OUTL-BRT-DACS_DRMS_Routing.csv'), routing)
  ingress = opened.use(await openIngress({ ingress: { clients }, sections: { connections, lookups: { directory } } }))
  await ingress.work(...processors)
})
beforeEach(() => {
  for (const { payloads } of processors) payloads.length = 0
})
afterAll(() => opened.disposeAsync())

const as = (name: string) => ({ headers: { authorization: basic(name, `pw-${name}`) } })
const post = async (name: string, flow: InboundFlowId, body: unknown) =>
  (await ingress.post(flow, body, as(name))).status

const sync = (syncRequestId: string, division: string) => {
  const { sendDetails } = examples['enrollment-sync']
  return { sendDetails: { ...sendDetails, syncRequestId, locationInfo: { ...sendDetails.locationInfo, division } } }
}
const statusCheck = (communicationId: string, division: string) => {
  const { sendDetails } = examples['device-status-check']
  return { sendDetails: { ...sendDetails, communicationId, deviceInfo: { ...sendDetails.deviceInfo, division } } }
}
const statusAck = (dacsMessageId: string) => ({ ...examples['device-status-ack'], dacsMessageId })
/** Keys of the messages that are kept. */
const records = async () => {
  const start = `${ingress.journal.base}:m:`
  const keys = await ingress.recorded()
  return keys
    .filter((key) => key.startsWith(start))
    .map((key) => key.slice(start.length))
    .sort()
}
const answered = (key: string) => ingress.field(key, 'answered')
const north403 = { status: 403, body: { code: 'not-allowed' } }

describe('a client limited to an instance', () => {
  test('acknowledges what was sent to its own DERMS, and nothing else', async () => {
    for (const [id, division] of [
      ['1', 'N'],
      ['2', 'S'],
    ] as const) {
      expect(await post('all', 'enrollment-sync', sync(id, division))).toBe(200)
      expect(await post('all', 'device-status-check', statusCheck(`c${id}`, division))).toBe(200)
    }
    const before = await records()
    expect(await ingress.post('enrollment-sync-ack', syncAck('1'), as('south'))).toMatchObject(north403)
    expect(await ingress.post('device-status-ack', statusAck('c1'), as('south'))).toMatchObject(north403)
    const both = {
      MsgAck: { ackType: 'SUCCESS', responses: { response: [{ dacsMessageId: '2' }, { dacsMessageId: '1' }] } },
    }
    expect(await ingress.post('enrollment-sync-ack', both, as('south'))).toMatchObject(north403)
    expect(await records()).toEqual(before)
    for (const key of ['enrollment-sync.all.1', 'enrollment-sync.all.2', 'device-status-check.all.c1'])
      expect([key, await answered(key)]).toEqual([key, null])

    expect(await post('south', 'enrollment-sync-ack', syncAck('2'))).toBe(202)
    expect(await post('north', 'enrollment-sync-ack', syncAck('1'))).toBe(202)
    expect(await post('souths', 'device-status-ack', statusAck('c2'))).toBe(200)
    expect(await post('north', 'device-status-ack', statusAck('c1'))).toBe(200)
    for (const key of ['enrollment-sync.all.1', 'enrollment-sync.all.2', 'device-status-check.all.c1'])
      expect([key, await answered(key)]).toEqual([key, '1'])
  })

  test('answers its own of two requests with the same id', async () => {
    expect(await post('north', 'enrollment-sync', sync('3', 'N'))).toBe(200)
    expect(await post('south', 'enrollment-sync', sync('3', 'S'))).toBe(200)
    expect(await post('south', 'enrollment-sync-ack', syncAck('3'))).toBe(202)
    expect(await answered('enrollment-sync.south.3')).toBe('1')
    expect(await answered('enrollment-sync.north.3')).toBeNull()
  })

  test('does not acknowledge what nobody knows, where it may be another’s', async () => {
    expect(await post('all', 'enrollment-sync', sync('4', 'X'))).toBe(200)
    const known = await records()
    for (const id of ['4', 'lost']) expect(await post('south', 'enrollment-sync-ack', syncAck(id))).toBe(403)
    expect(await post('south', 'device-status-ack', statusAck('lost'))).toBe(403)
    expect(await records()).toEqual(known)
    expect(known).toContain('enrollment-sync.all.4')
    for (const id of ['4', 'lost']) expect(await post('all', 'enrollment-sync-ack', syncAck(id))).toBe(202)
  })

  test('sends what belongs to its own divisions alone', async () => {
    for (const [name, division, status] of [
      ['south', 'N', 403],
      ['south', 'S2', 403],
      ['souths', 'S2', 200],
      ['south', 'X', 403],
    ] as const) {
      const id = `${name}-${division}`
      expect([id, await post(name, 'enrollment-sync', sync(id, division))]).toEqual([id, status])
      expect([id, await post(name, 'device-status-check', statusCheck(id, division))]).toEqual([id, status])
    }
  })

  test('speaks for it where a message names none, and for none when it has several', async () => {
    const [, , statuses] = processors
    const body = stageStatus({ messageId: 'M-1', drmsInstanceId: undefined })
    expect(await post('south', 'stage-status', body)).toBe(200)
    expect(statuses?.payloads).toEqual([{ ...body, drmsInstanceId: 'SOUTH-1' }])
    expect(await records()).toContain('stage-status.SOUTH-1.M-1')
    for (const drmsInstanceId of ['', null, {}])
      expect(await post('souths', 'stage-status', stageStatus({ drmsInstanceId }))).toBe(403)
    expect(await post('souths', 'stage-status', stageStatus({ drmsInstanceId: 'SOUTH-2' }))).toBe(200)
    expect(statuses?.payloads).toHaveLength(2)

    const form = multipart(jsonPart({ ...reservation, drmsInstanceId: undefined }), filePart())
    const posted = (name: string) =>
      fetch(`${ingress.url}/derms/reserveDevice`, {
        method: 'POST',
        headers: { ...as(name).headers, 'content-type': 'multipart/mixed; boundary=derms-7f1c' },
        body: new Uint8Array(form),
      })
    expect((await posted('souths')).status).toBe(403)
    expect((await posted('south')).status).toBe(202)
    const key = 'event-reservation.SOUTH-1.RSV-1'
    expect(await readStoredPayload(ingress.journal, key)).toMatchObject({ drmsInstanceId: 'SOUTH-1' })
  })

  test('goes on under the old name with what the version before has named after the client', async () => {
    const [, , statuses] = processors
    const hash = 'of the version before'
    const old = stageStatus({ messageId: 'OLD', stageId: '1315', drmsInstanceId: undefined })
    const identity = identify('stage-status', old, 'south', hash)
    expect(identity.key).toBe('stage-status.south.OLD')
    await accept(ingress.journal, { ...identity, flow: 'stage-status', client: 'south', payload: old, hash })
    // DACS has answered a message of the stage.
    await ingress.redis.set(`${ingress.journal.base}:a:stage-status.south.1315`, '1')
    const next = stageStatus({ messageId: 'NEXT', stageId: '1315', drmsInstanceId: undefined })
    for (const body of [old, next]) expect(await post('south', 'stage-status', body)).toBe(200)
    expect(await ingress.field('stage-status.south.OLD', 'generation')).toBe('2')
    expect(await ingress.field('stage-status.south.NEXT', 'line')).toBe('stage-status.south.1315')
    expect(statuses?.payloads.at(-1)).toEqual({ ...next, drmsInstanceId: 'SOUTH-1' })
  })
})
