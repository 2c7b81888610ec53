import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { readSimulatorEnvironment } from '../src/environment.ts'
import { startFilePlaces } from '../src/file-places.ts'
import { anyPorts } from './any-ports.ts'
import { call } from './call.ts'
import { callSigned } from './call-signed.ts'
import { createPlaceClient } from './place-client.ts'
import { connectTo, readAll, statusOf } from './sftp-session.ts'

const places = await startFilePlaces(readSimulatorEnvironment({ ...anyPorts, SFTP_SIMULATOR_PASSWORD: 'p@ss' }))
const { sftp, objectStorage } = places
const sftpPlace = createPlaceClient(places.controls.sftp)
const storagePlace = createPlaceClient(places.controls.objectStorage)

beforeEach(() => Promise.all([sftpPlace.control('reset'), storagePlace.control('reset')]))
afterAll(() => places[Symbol.asyncDispose]())

/** A session with what an installation is told. */
const logIn = (password = sftp.password) =>
  connectTo({ ...sftp, password, hostVerifier: (key: Buffer) => fingerprintOf(key) === sftp.hostKey })
const fingerprintOf = (key: Buffer) => `SHA256:${createHash('sha256').update(key).digest('base64').replace('=', '')}`
const pathOf = (name: string) => `${sftp.directory}/${name}`

/** A request with what an installation is told. */
async function callStorage(method: string, path: string, content?: string) {
  const { endpoint, tenancy, user, fingerprint, privateKeyFile, namespace, bucket } = objectStorage
  return callSigned(endpoint, method, `/n/${namespace}/b/${bucket}${path}`, {
    key: await readFile(privateKeyFile, 'utf8'),
    keyId: `${tenancy}/${user}/${fingerprint}`,
    ...(content !== undefined && { content }),
  })
}

describe('what an installation is told', () => {
  test('opens the SFTP server and the folder of the files', async () => {
    await sftpPlace.put('DeviceScore_1.csv', 'a,b\n')
    using session = await logIn()
    expect(await readAll(session.sftp, pathOf('DeviceScore_1.csv'))).toBe('a,b\n')
    const renamed = (done: (error?: Error | null) => void) =>
      session.sftp.rename(pathOf('DeviceScore_1.csv'), pathOf('Sent-DeviceScore_1.csv'), done)
    expect(await statusOf(renamed)).toBeUndefined()
    expect(await sftpPlace.names()).toEqual(['Sent-DeviceScore_1.csv'])
  })

  test('opens the bucket', async () => {
    await storagePlace.put('DeviceScore_1.csv', 'a,b\n')
    expect((await callStorage('GET', '/o')).json.objects).toEqual([{ name: 'DeviceScore_1.csv' }])
    expect((await callStorage('GET', '/o/DeviceScore_1.csv')).text).toBe('a,b\n')
    await callStorage('PUT', '/o/DeviceScore_2.csv', 'c')
    expect((await storagePlace.read('DeviceScore_2.csv')).text).toBe('c')
  })

  test('names a private key that nobody else can read, until the end', async () => {
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    const other = await startFilePlaces(readSimulatorEnvironment(anyPorts))
    const { privateKeyFile } = other.objectStorage
    expect(await modeOf(privateKeyFile)).toBe('600')
    expect(await modeOf(dirname(privateKeyFile))).toBe('700')
    expect(other.objectStorage.fingerprint).not.toBe(objectStorage.fingerprint)
    await other[Symbol.asyncDispose]()
    await expect(stat(dirname(privateKeyFile))).rejects.toThrow('ENOENT')
  })
})

describe('the SFTP server over HTTP', () => {
  test('shows who logged in and what arrived', async () => {
    await expect(logIn('wrong')).rejects.toThrow('authentication')
    using session = await logIn()
    await statusOf((done) => session.sftp.stat(pathOf('a'), done))
    await statusOf((done) => session.sftp.unlink(pathOf('a'), done))
    const logins: { method: string }[] = (await sftpPlace.get('logins')).body
    expect(logins.filter(({ method }) => method === 'password')).toEqual([
      { username: 'tieline', method: 'password', accepted: false },
      { username: 'tieline', method: 'password', accepted: true },
    ])
    expect(await sftpPlace.operations()).toEqual(['stat', 'remove'])
    expect((await sftpPlace.get('received?operation=remove')).body).toEqual([
      { operation: 'remove', path: pathOf('a') },
    ])
  })

  test('fails, stalls and cuts as it is told', async () => {
    for (const name of ['a', 'b']) await sftpPlace.put(name, name.repeat(100_000))
    using session = await logIn()
    const tell = (name: string) => statusOf((done) => session.sftp.stat(pathOf(name), done))
    await sftpPlace.control('fail-next', { operation: 'stat', status: 3, containing: '/b' })
    expect([await tell('a'), await tell('b'), await tell('b')]).toEqual([undefined, 3, undefined])

    await sftpPlace.control('stall-next', { operation: 'stat', ms: 60_000 })
    const stalled = tell('a')
    // Takes longer than an answer would.
    using _ = await logIn()
    await sftpPlace.control('cut')
    expect(await stalled).toContain('No response')
    using second = await logIn()
    await sftpPlace.control('cut-after', { bytes: 50_000 })
    await expect(readAll(second.sftp, pathOf('a'))).rejects.toThrow()
    using third = await logIn()
    await sftpPlace.control('apply-then-drop', { operation: 'remove' })
    expect(await statusOf((done) => third.sftp.unlink(pathOf('a'), done))).toContain('No response')
    expect(await sftpPlace.names()).toEqual(['b'])
  })

  test('hangs up on everybody until it is healed', async () => {
    await sftpPlace.control('refuse-connections')
    await expect(logIn()).rejects.toThrow()
    await sftpPlace.control('refuse-connections', { refuse: false })
    using _ = await logIn()
    await sftpPlace.control('refuse-connections', { refuse: true })
    await expect(logIn()).rejects.toThrow()
    await sftpPlace.control('heal')
    using __ = await logIn()
  })

  test('forgets everything when it is reset', async () => {
    await sftpPlace.put('a', 'a')
    using session = await logIn()
    await statusOf((done) => session.sftp.rename(pathOf('a'), '/elsewhere', done))
    await statusOf((done) => session.sftp.rename(sftp.directory, '/moved', done))
    await sftpPlace.control('reset')
    expect(
      await Promise.all(['logins', 'received', 'files'].map(async (what) => (await sftpPlace.get(what)).body)),
    ).toEqual([[], [], []])
    expect(await statusOf((done) => session.sftp.stat('/elsewhere', done))).toBe(2)
    await sftpPlace.put('b', 'b')
    expect(await readAll(session.sftp, pathOf('b'))).toBe('b')
  })
})

describe('Object Storage over HTTP', () => {
  test('fails, stalls and cuts as it is told', async () => {
    for (const name of ['a', 'b c']) await storagePlace.put(name, name.repeat(100_000))
    const statusOfGet = async (name: string) => (await callStorage('GET', `/o/${name}`)).status
    await storagePlace.control('fail-next', { operation: 'getObject', status: 503, containing: '/b c' })
    expect([await statusOfGet('a'), await statusOfGet('b%20c'), await statusOfGet('b%20c')]).toEqual([200, 503, 200])

    await storagePlace.control('cut-after', { bytes: 50_000 })
    await expect(callStorage('GET', '/o/a')).rejects.toThrow()
    await storagePlace.control('stall-next', { operation: 'deleteObject', ms: 60_000 })
    void callStorage('DELETE', '/o/a').catch(() => undefined)
    await expect.poll(storagePlace.names).toEqual(['b c'])
    await storagePlace.control('drop-before', { operation: 'deleteObject' })
    await expect(callStorage('DELETE', '/o/b%20c')).rejects.toThrow()
    expect(await storagePlace.names()).toEqual(['b c'])
    expect((await storagePlace.get('received?operation=deleteObject')).body).toMatchObject([
      { answered: 'pending', applied: true },
      { answered: 'dropped', applied: false },
    ])
  })

  test('forgets its faults when it is healed, and everything when it is reset', async () => {
    await storagePlace.put('a', 'a'.repeat(100_000))
    await storagePlace.control('cut-after', { bytes: 1 })
    await storagePlace.control('latency', { ms: 60_000 })
    await storagePlace.control('heal')
    expect((await callStorage('GET', '/o/a')).text).toHaveLength(100_000)
    await storagePlace.control('reset')
    expect((await storagePlace.get('received')).body).toEqual([])
    expect(await storagePlace.names()).toEqual([])
  })
})

test.each([
  [sftpPlace, 'fail-next', { status: 503 }],
  [sftpPlace, 'fail-next', { status: 0 }],
  [sftpPlace, 'fail-next', { status: 4, operation: 'getObject' }],
  [sftpPlace, 'refuse-connections', { refuse: 'yes' }],
  [storagePlace, 'fail-next', { status: 4 }],
  [storagePlace, 'cut-after', {}],
  [storagePlace, 'latency', { ms: -1 }],
])('answers 400 to a bad instruction: %o %s %j', async ({ url }, what, body) => {
  expect((await call(`${url}/control/${what}`, 'POST', body)).status).toBe(400)
})
