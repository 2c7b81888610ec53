import { createPrivateKey } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Logger } from '@tieline/runtime/logger'
import { startSftpServer } from '@tieline/simulators/sftp-server'
import { eventually } from '@tieline/testkit/eventually'
import { expect, test, vi } from 'vitest'
import { createPause } from '../src/pause.ts'
import { createSftpSource, type SftpSourceOptions } from '../src/sftp-source.ts'
import { startRawServer } from './far-side.ts'
import { createFileFolder } from './file-folder.ts'
import { failureOf, fileOf } from './file-source-suite.ts'
import { startProxy } from './proxy.ts'
import { recipeFor } from './sftp-recipe.ts'
import { newSshKey } from './ssh-keys.ts'

const password = 'p@ss'
const login = { username: 'tieline', password }

/** A server with one file, and a source of its directory. */
async function setUp(options: Partial<SftpSourceOptions> = {}) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startSftpServer(login))
  const folder = createFileFolder(server.directory)
  await folder.put('file', 'content')
  const source = stack.use(await createSftpSource(recipeFor(server, { password, ...options })))
  const owned = stack.move()
  return { server, folder, source, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function keyFile(content: string) {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-key-'))
  const path = join(directory, 'key')
  await writeFile(path, content)
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}

test('sends no password to a server with another host key, and names the key', async () => {
  await using place = await setUp({ hostKey: newSshKey().fingerprint })
  const failure = await failureOf(place.source.list(''))
  expect(failure).toMatchObject({ code: 'host-key-mismatch', retry: { kind: 'never' }, outcome: 'failed' })
  expect(failure.message).toContain(`ecdsa-sha2-nistp256 host key ${place.server.hostKey}`)
  expect(failure.message).not.toContain(password)
  await eventually(() => place.server.connections() === 0)
  expect(place.server.logins).toEqual([])
})

test('takes a fingerprint with or without padding', async () => {
  await using server = await startSftpServer(login)
  await using source = await createSftpSource(recipeFor({ ...server, hostKey: `${server.hostKey}=` }, { password }))
  expect(await source.list('')).toEqual([])
})

test('tries nothing but the password that is configured', async () => {
  await using place = await setUp({ password: 'wrong' })
  expect(await failureOf(place.source.list(''))).toMatchObject({ code: 'target-unauthorized' })
  expect(place.server.logins).toEqual([{ username: 'tieline', method: 'password', accepted: false }])
})

test('holds back after a refused login, so that no account is locked', async () => {
  await using place = await setUp({ password: 'wrong', pause: createPause({ pauseMs: 60_000 }) })
  await failureOf(place.source.list(''))
  expect(await failureOf(place.source.list(''))).toMatchObject({ code: 'connection-paused', retry: { kind: 'after' } })
  expect(place.server.logins).toHaveLength(1)
})

test('logs in with a private key', async () => {
  const key = newSshKey()
  await using file = await keyFile(key.privateKey)
  await using server = await startSftpServer({ username: 'tieline', authorizedKey: key.publicKey })
  await using source = await createSftpSource(recipeFor(server, { privateKeyFile: file.path }))
  expect(await source.list('')).toEqual([])
  expect(server.logins).toEqual([{ username: 'tieline', method: 'publickey', accepted: true }])
})

test('reads its key again when the file changes, and stays with the former one while that cannot be used', async () => {
  const [before, after] = [newSshKey(), newSshKey()]
  await using file = await keyFile(before.privateKey)
  const told: string[] = []
  const logger = { warn: (_about: unknown, message?: string) => void told.push(message ?? '') } as Pick<Logger, 'warn'>
  const first = await startSftpServer({ username: 'tieline', authorizedKey: before.publicKey })
  const { port, identity } = first
  const recipe = recipeFor(first, { privateKeyFile: file.path, keyReloadMs: 0, logger })
  await using source = await createSftpSource(recipe)
  await writeFile(file.path, before.privateKey.slice(0, 80))
  expect(await source.list('')).toEqual([])
  first.cut()
  await vi.waitFor(() => expect(first.connections()).toBe(0))
  await vi.waitFor(async () => expect(await source.list('')).toEqual([]))
  expect(new Set(told).size).toBe(1)
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(/DACS_FILES.privateKeyFile.*\. The former key stays in use/s)
  await first[Symbol.asyncDispose]()
  await using second = await startSftpServer({ username: 'tieline', authorizedKey: after.publicKey, port, identity })
  await writeFile(file.path, after.privateKey)
  await vi.waitFor(async () => expect(await source.list('')).toEqual([]))
  expect(second.logins.at(-1)).toMatchObject({ method: 'publickey', accepted: true })
})

test('answers a server that asks for the password, and only for that', async () => {
  for (const [questions, accepted] of [
    [['Password: '], true],
    [['Password: ', 'Code: '], false],
  ] as const) {
    await using server = await startSftpServer({ ...login, questions })
    await using source = await createSftpSource(recipeFor(server, { password }))
    if (accepted) expect(await source.list('')).toEqual([])
    else expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-unauthorized' })
    expect(server.logins).toEqual([{ username: 'tieline', method: 'keyboard-interactive', accepted }])
  }
})

test('opens a private key with its passphrase, and logs in with none that stays closed', async () => {
  const { privateKey, publicKey } = newSshKey()
  const cipher = { type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open it' } as const
  await using file = await keyFile(createPrivateKey(privateKey).export(cipher).toString())
  await using server = await startSftpServer({ username: 'tieline', authorizedKey: publicKey })
  for (const [passphrase, accepted] of [
    ['open it', true],
    ['wrong', false],
    [undefined, false],
  ] as const) {
    await using source = await createSftpSource(recipeFor(server, { privateKeyFile: file.path, passphrase }))
    if (accepted) expect(await source.list('')).toEqual([])
    else expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-unauthorized' })
  }
  expect(server.logins).toEqual([{ username: 'tieline', method: 'publickey', accepted: true }])
})

test('takes any of several host keys, so that a new one can come', async () => {
  await using place = await setUp()
  const hostKey = [newSshKey().fingerprint, place.server.hostKey]
  await using source = await createSftpSource(recipeFor({ ...place.server, hostKey }, { password }))
  expect(await source.list('')).toHaveLength(1)
})

test('does not start with a private key that cannot be read, and does not log in with one that is none', async () => {
  await using server = await startSftpServer(login)
  await using file = await keyFile('no key')
  await expect(createSftpSource(recipeFor(server, { privateKeyFile: `${file.path}s` }))).rejects.toMatchObject({
    name: 'ConfigurationError',
    faults: [{ path: 'connections.DACS_FILES.privateKeyFile', rule: 'cannot be read (ENOENT)' }],
  })
  await using source = await createSftpSource(recipeFor(server, { privateKeyFile: file.path }))
  expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-unauthorized' })
  expect(server.logins).toEqual([])
})

test('has one connection for everything that is done at once and later', async () => {
  await using place = await setUp()
  await Promise.all([place.source.list(''), place.source.list(''), place.source.find('file')])
  expect(String(await buffer(await place.source.open(await fileOf(place.source, 'file'))))).toBe('content')
  expect(place.server.logins).toHaveLength(1)
  expect(place.server.connections()).toBe(1)
})

test('connects again after the connection was lost', async () => {
  await using place = await setUp()
  await place.source.list('')
  place.server.cut()
  await eventually(async () => (await place.source.list('')).length === 1)
  expect(place.server.logins).toHaveLength(2)
})

test('connects again after the server was started anew', async () => {
  const first = await startSftpServer(login)
  const { identity, port } = first
  await using source = await createSftpSource(recipeFor(first, { password }))
  await source.list('')
  await first[Symbol.asyncDispose]()
  expect((await failureOf(eventually(() => source.list(''), 0))).cause).toMatchObject({ retry: { kind: 'backoff' } })
  await using second = await startSftpServer({ ...login, identity, port })
  await eventually(() => source.list(''))
  expect(second.logins).toHaveLength(1)
})

test('goes through a proxy, and says when that refuses', async () => {
  await using proxy = await startProxy()
  await using place = await setUp({ proxy: proxy.url })
  expect(await place.source.list('')).toHaveLength(1)
  expect(proxy.tunnels).toEqual([
    { target: `127.0.0.1:${place.server.port}`, authorization: `Basic ${btoa('user:pass!')}` },
  ])

  await using unwilling = await startProxy(407)
  await using other = await setUp({ proxy: unwilling.url })
  const failure = await failureOf(other.source.list(''))
  expect(failure).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  expect(failure.message).toContain('proxy answered 407')
})

test('gives up on a server that does not greet, hangs up at once, or speaks no SSH', async () => {
  await using silent = await startRawServer(() => undefined)
  await using closing = await startRawServer((socket) => socket.destroy())
  await using other = await startRawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  for (const [{ port }, code] of [
    [silent, 'target-timeout'],
    [closing, 'target-unreachable'],
    [other, 'target-unreachable'],
  ] as const) {
    const server = { host: '127.0.0.1', port, hostKey: newSshKey().fingerprint }
    await using source = await createSftpSource(recipeFor(server, { password, timeoutMs: 300 }))
    expect(await failureOf(source.list(''))).toMatchObject({ code, retry: { kind: 'backoff' }, outcome: 'failed' })
  }
})

test('gives up on an answer that does not come, and then starts anew', async () => {
  await using place = await setUp({ timeoutMs: 300 })
  await place.source.list('')
  place.server.latency({ operation: 'stat', ms: 60_000 })
  expect(await failureOf(place.source.find('file'))).toMatchObject({ code: 'target-timeout' })
  place.server.heal()
  expect(await place.source.find('file')).toMatchObject({ bytes: 7 })
  expect(place.server.logins).toHaveLength(2)
})

test('ends while an answer is waited for', async () => {
  await using place = await setUp()
  await place.source.list('')
  place.server.latency({ operation: 'stat', ms: 60_000 })
  const failing = failureOf(place.source.find('file'))
  await eventually(() => place.server.received.some(({ operation }) => operation === 'stat'))
  await place.source[Symbol.asyncDispose]()
  expect(await failing).toMatchObject({ code: 'target-reset' })
  expect(await failureOf(place.source.find('file'))).toMatchObject({ code: 'target-reset' })
})
