import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseInstallation } from '@tieline/runtime/installation'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { createConnections } from '../src/connections.ts'
import { json, startFarSide } from './far-side.ts'
import { failureOf } from './target.ts'

const warnings: object[] = []
const logger = { warn: (fields: object) => warnings.push(fields) } as never

/** Connections as an installation file describes them; JSON is YAML. */
const connect = (connections: object, metrics?: Registry) => {
  const clients = [
    { name: 'derms', flows: ['stage-status'], credentials: [{ basic: { username: 'd', password: 'p' } }] },
  ]
  const { connections: parsed } = parseInstallation(JSON.stringify({ ingress: { clients }, connections }), {}, tmpdir())
  return createConnections(parsed, { logger, metrics, pauseMs: 1_000 })
}
const dacsAt = (baseUrl: string, more: object = {}) => ({ DACS_MAIN: { kind: 'dacs', baseUrl, auth: 'none', ...more } })

it('calls every operation of DACS at its documented address', async () => {
  await using far = await startFarSide(json(200, { ok: true }))
  await using connections = await connect(dacsAt(`${far.url}/tenant/prod/dac/rest/apis/`))
  const dacs = connections.dacs('DACS_MAIN')
  expect(dacs.name).toBe('DACS_MAIN')
  await dacs.call('enrollProgram', { body: { n: 1 } })
  await dacs.call('updateSyncRequest', { segment: '15449036987849', body: { n: 2 } })
  await dacs.call('postDeviceStatus', { body: { n: 3 } })
  await dacs.call('createProgramEvent', { body: { n: 4 } })
  await dacs.call('actionProgramEvent', { body: { n: 5 } })
  await dacs.call('healthCheck', {})
  const root = '/tenant/prod/dac/rest/apis'
  expect(far.received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', `${root}/cross/digitalAssets/programEnrollments/enroll`, '{"n":1}'],
    ['PATCH', `${root}/common/sync/syncRequest/15449036987849`, '{"n":2}'],
    ['POST', `${root}/cross/digitalAssets/controllableDeviceStatus/response`, '{"n":3}'],
    ['POST', `${root}/cross/service/programEvent/`, '{"n":4}'],
    ['POST', `${root}/cross/service/programEvent/lifecycle`, '{"n":5}'],
    ['GET', `${root}/common/system/healthCheck/`, ''],
  ])
})

it('calls every operation of DERMS at its documented address', async () => {
  await using far = await startFarSide(json(200, { ok: true }))
  await using connections = await connect({
    DERMS_SITE1: { kind: 'derms', baseUrl: `${far.url}/nms-drms/rest/v1`, auth: 'none' },
  })
  const derms = connections.derms('DERMS_SITE1')
  await derms.call('enroll', { body: { n: 1 } })
  await derms.call('statusCheck', { body: { n: 2 } })
  await derms.call('catalog', {})
  expect(await derms.call('openapi', {})).toMatchObject({ status: 200, body: { ok: true } })
  expect(far.received.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/nms-drms/rest/v1/enroll', '{"n":1}'],
    ['POST', '/nms-drms/rest/v1/status-check', '{"n":2}'],
    ['GET', '/nms-drms/rest/v1/catalog', ''],
    ['GET', '/nms-drms/rest/v1/openapi.json', ''],
  ])
})

it('follows other paths per operation, relative to the base or absolute', async () => {
  await using far = await startFarSide(json(200))
  const paths = {
    enrollProgram: 'ccs/enroll',
    createProgramEvent: `${far.url}/ouaf/rest/apis/events/`,
    updateSyncRequest: '/sync/{syncRequestId}/result',
  }
  await using connections = await connect(dacsAt(`${far.url}/base`, { paths }))
  const dacs = connections.dacs('DACS_MAIN')
  await dacs.call('enrollProgram', { body: {} })
  await dacs.call('createProgramEvent', { body: {} })
  await dacs.call('updateSyncRequest', { segment: '1', body: {} })
  expect(far.received.map(({ path }) => path)).toEqual([
    '/base/ccs/enroll',
    '/ouaf/rest/apis/events/',
    '/base/sync/1/result',
  ])
})

it('gives fields the names that they have at an operation, at any depth, and leaves other operations alone', async () => {
  await using far = await startFarSide(json(200))
  const fieldNames = { enrollProgram: { nicId: 'nic', transactionId: 'transactionID' } }
  await using connections = await connect(dacsAt(far.url, { fieldNames }))
  const dacs = connections.dacs('DACS_MAIN')
  const body = { transactionId: 'T', assetList: [{ nicId: 'N', own: null }] }
  await dacs.call('enrollProgram', { body: body })
  await dacs.call('reserveDevice', { body: body })
  expect(far.received.map((call) => JSON.parse(call.body))).toEqual([
    { transactionID: 'T', assetList: [{ nic: 'N', own: null }] },
    body,
  ])
})

it.each([
  ['../admin', '..%2Fadmin'],
  ['a/b?c#d', 'a%2Fb%3Fc%23d'],
  ['$&', '%24%26'],
  ['%2e%2e', '%252e%252e'],
])('keeps the sync request id %s one segment of the path', async (id, segment) => {
  await using far = await startFarSide(json(200))
  await using connections = await connect(dacsAt(far.url))
  await connections.dacs('DACS_MAIN').call('updateSyncRequest', { segment: id, body: {} })
  expect(far.received[0]?.path).toBe(`/common/sync/syncRequest/${segment}`)
})

it.each(['', '.', '..', 'half a \ud83d'])('refuses a sync request id that cannot stand in a path: %j', async (id) => {
  await using far = await startFarSide(json(200))
  await using connections = await connect(dacsAt(far.url))
  const error = await failureOf(connections.dacs('DACS_MAIN').call('updateSyncRequest', { segment: id, body: {} }))
  expect(error).toMatchObject({ code: 'contract-violation', retry: { kind: 'never' }, outcome: 'failed' })
  expect(far.received).toHaveLength(0)
})

it('takes a degraded health check for healthy only where it is told to', async () => {
  await using far = await startFarSide(json(203))
  await using strict = await connect(dacsAt(far.url))
  await using lenient = await connect(dacsAt(far.url, { acceptDegradedHealth: true }))
  expect(await failureOf(strict.dacs('DACS_MAIN').call('healthCheck', {}))).toMatchObject({
    code: 'target-error',
    status: 203,
  })
  expect(await lenient.dacs('DACS_MAIN').call('healthCheck', {})).toMatchObject({ status: 203 })
  expect(await failureOf(lenient.dacs('DACS_MAIN').call('enrollProgram', { body: {} }))).toMatchObject({ status: 203 })
})

it('pauses one connection without touching another, and says so once', async () => {
  await using far = await startFarSide((request, response) =>
    response.writeHead(request.path.startsWith('/a') ? 403 : 200).end(),
  )
  await using connections = await connect({
    DACS_A: { kind: 'dacs', baseUrl: `${far.url}/a`, auth: 'none' },
    DACS_B: { kind: 'dacs', baseUrl: `${far.url}/b`, auth: 'none' },
  })
  warnings.length = 0
  expect(await failureOf(connections.dacs('DACS_A').call('enrollProgram', { body: {} }))).toMatchObject({
    code: 'target-forbidden',
  })
  expect(await failureOf(connections.dacs('DACS_A').call('enrollProgram', { body: {} }))).toMatchObject({
    code: 'connection-paused',
  })
  expect(await connections.dacs('DACS_B').call('enrollProgram', { body: {} })).toMatchObject({ status: 200 })
  expect(warnings).toEqual([{ connection: 'DACS_A', pauseMs: 1_000 }])
})

it('counts calls in the registry of the service', async () => {
  await using far = await startFarSide(json(404))
  const registry = new Registry()
  await using connections = await connect(dacsAt(far.url), registry)
  await failureOf(connections.dacs('DACS_MAIN').call('healthCheck', {}))
  expect(await registry.metrics()).toContain(
    'tieline_target_call_duration_seconds_count{connection="DACS_MAIN",operation="healthCheck",status="404"} 1',
  )
})

it('knows the kinds of all connections and nothing else of them', async () => {
  await using connections = await connect({
    ...dacsAt('http://127.0.0.1:1', { auth: { basic: { username: 'oic', password: 'secret' } } }),
    FILES: { kind: 'sftp', host: 'h', username: 'u', password: 'secret', hostKey: `SHA256:${'A'.repeat(43)}` },
  })
  expect(connections.kinds).toEqual({ DACS_MAIN: { kind: 'dacs' }, FILES: { kind: 'sftp' } })
  expect(() => connections.derms('DACS_MAIN')).toThrow('There is no DERMS connection "DACS_MAIN"')
  expect(() => connections.dacs('FILES')).toThrow(expect.objectContaining({ code: 'routing-missing' }))
})

it('names every connection that cannot work before anything is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tieline-connections-'))
  try {
    await writeFile(join(folder, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const keyed = (privateKeyFile: string) => ({
      oauth2: { tokenUrl: 'http://h/token', clientId: 'c', privateKeyFile: join(folder, privateKeyFile) },
    })
    const faulty = connect({
      ONE: { kind: 'dacs', baseUrl: 'http://h', auth: 'none', paths: { updateSyncRequest: '/sync' } },
      TWO: { kind: 'derms', baseUrl: 'http://h', auth: 'none', tls: { caFile: join(folder, 'absent.pem') } },
      THREE: { kind: 'derms', baseUrl: 'http://h', auth: 'none', tls: { caFile: join(folder, 'broken.pem') } },
      FOUR: { kind: 'derms', baseUrl: 'http://h', auth: keyed('absent.pem') },
      FIVE: { kind: 'derms', baseUrl: 'http://h', auth: keyed('broken.pem') },
    })
    await expect(faulty).rejects.toMatchObject({
      faults: [
        { path: 'connections.ONE.paths.updateSyncRequest', rule: expect.stringContaining('{syncRequestId}') },
        { path: 'connections.TWO.tls', rule: expect.stringContaining('ENOENT') },
        { path: 'connections.THREE.tls', rule: expect.stringContaining('cannot be used') },
        { path: 'connections.FOUR.auth.oauth2.privateKeyFile', rule: expect.stringContaining('ENOENT') },
        { path: 'connections.FIVE.auth.oauth2.privateKeyFile', rule: expect.stringContaining('cannot be used') },
      ],
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
