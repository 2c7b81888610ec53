import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ssh2, { type ConnectConfig } from 'ssh2'
import { expect, test } from 'vitest'
import { startSftpServer } from '../src/sftp-server.ts'
import { connectTo, namesIn, readAll, statusOf } from './sftp-session.ts'

const { utils } = ssh2
const login = { username: 'tieline', password: 'p@ss' }
const connect = (port: number, config: ConnectConfig = login) => connectTo({ port, ...config })

test('lets in those who know the password or have the key, and keeps a record of all', async () => {
  const key = utils.generateKeyPairSync('ecdsa', { bits: 256 })
  await using server = await startSftpServer({ ...login, authorizedKey: key.public })
  using _ = await connect(server.port)
  using __ = await connect(server.port, { username: 'tieline', privateKey: key.private })
  const stranger = utils.generateKeyPairSync('ecdsa', { bits: 256 })
  for (const wrong of [
    { username: 'tieline', password: 'wrong' },
    { username: 'other', password: 'p@ss' },
    { username: 'tieline', privateKey: stranger.private },
  ]) {
    await expect(connect(server.port, wrong)).rejects.toThrow('authentication')
  }
  expect(server.logins.filter(({ accepted }) => accepted).map(({ method }) => method)).toEqual([
    'password',
    'publickey',
  ])
  expect(server.logins.filter(({ method, accepted }) => method === 'password' && !accepted)).toHaveLength(2)
})

test('shows the fingerprint of the key that it presents, and keeps it when it is told to', async () => {
  await using server = await startSftpServer(login)
  await using next = await startSftpServer({ ...login, identity: server.identity })
  await using other = await startSftpServer(login)
  expect(server.hostKey).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
  expect(next.hostKey).toBe(server.hostKey)
  expect(other.hostKey).not.toBe(server.hostKey)
})

test('lists, reads, writes, renames and removes files of a real directory', async () => {
  await using server = await startSftpServer(login)
  using session = await connect(server.port)
  const { sftp } = session
  await Promise.all(Array.from({ length: 250 }, (_, index) => writeFile(join(server.directory, `f${index}`), '')))
  expect(await namesIn(sftp, '/')).toHaveLength(250)

  const content = 'content '.repeat(50_000)
  await new Promise<void>((resolve) => sftp.createWriteStream('new').end(content, () => resolve()))
  expect(await readAll(sftp, '/new')).toBe(content)
  expect(await statusOf((done) => sftp.rename('/new', '/newer', done))).toBeUndefined()
  expect(await readFile(join(server.directory, 'newer'), 'utf8')).toBe(content)
  expect(await statusOf((done) => sftp.unlink('/newer', done))).toBeUndefined()
  expect(await statusOf((done) => sftp.stat('/newer', done))).toBe(2)
})

test('does not rename onto what exists, as OpenSSH does not', async () => {
  await using server = await startSftpServer(login)
  using session = await connect(server.port)
  for (const name of ['a', 'b']) await writeFile(join(server.directory, name), name)
  expect(await statusOf((done) => session.sftp.rename('/a', '/b', done))).toBe(4)
  expect(await statusOf((done) => session.sftp.rename('/missing', '/c', done))).toBe(2)
  expect(await readAll(session.sftp, '/b')).toBe('b')
})

test('lets no path lead out of its directory', async () => {
  await using server = await startSftpServer(login)
  using session = await connect(server.port)
  await writeFile(join(server.directory, 'passwd'), 'ours')
  expect(await readAll(session.sftp, '../../etc/../passwd')).toBe('ours')
  expect(await promisify(session.sftp.realpath.bind(session.sftp))('a/../../..')).toBe('/')
})

test('fails, delays and cuts on demand', async () => {
  await using server = await startSftpServer(login)
  await writeFile(join(server.directory, 'file'), Buffer.alloc(1_000_000))
  using session = await connect(server.port)
  server.failNext({ operation: 'stat', status: 3 })
  expect(await statusOf((done) => session.sftp.stat('/file', done))).toBe(3)
  server.failNext({ operation: 'rename', status: 4, apply: true })
  expect(await statusOf((done) => session.sftp.rename('/file', '/moved', done))).toBe(4)
  expect((await stat(join(server.directory, 'moved'))).size).toBe(1_000_000)
  expect(() => server.failNext({ operation: 'statt', status: 3 })).toThrow(RangeError)

  server.cutAfter(100_000)
  const closed = once(session.client, 'close')
  await expect(readAll(session.sftp, '/moved')).rejects.toThrow('No response')
  await closed
  expect(server.received.map(({ operation }) => operation)).toEqual(['stat', 'rename', 'open', 'read'])
  expect(server.received[1]).toEqual({ operation: 'rename', path: '/file', newPath: '/moved' })
})

test('hangs up on new connections while it is told to', async () => {
  await using server = await startSftpServer(login)
  server.refuseConnections(true)
  await expect(connect(server.port)).rejects.toThrow()
  server.reset()
  using _ = await connect(server.port)
  expect(server.connections()).toBe(1)
})
