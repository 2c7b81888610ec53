import { writeFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@tieline/runtime/logger'
import { expect, test, vi } from 'vitest'
import { createOciClient } from '../src/oci-client.ts'
import { createOciSource } from '../src/oci-source.ts'
import { startFarSide } from './far-side.ts'
import { openSource } from './file-source-program.ts'
import { failureOf, fileOf } from './file-source-suite.ts'
import { startTestStorage, strangersKey, writeKey } from './oci-recipe.ts'
import { startProxy } from './proxy.ts'

const minute = 60_000

/** A bucket with one object, and a source of it. */
async function setUp(options: { timeoutMs?: number; proxy?: string; content?: string | Buffer } = {}) {
  const { content = 'content', ...others } = options
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await startTestStorage())
  await place.put('file', content)
  const source = stack.use(await openSource({ ...place.recipe, ...others }))
  const owned = stack.move()
  return { ...place, source, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test.each([4 * minute, -4 * minute])('is let in with a clock that is %i ms off', async (offMs) => {
  await using place = await setUp()
  place.storage.setClockAhead(offMs)
  expect(await place.source.list('')).toHaveLength(1)
})

test.each([6 * minute, -6 * minute])('is kept out with a clock that is %i ms off', async (offMs) => {
  await using place = await setUp()
  place.storage.setClockAhead(offMs)
  expect(await failureOf(place.source.list(''))).toMatchObject({ code: 'target-unauthorized', status: 401 })
})

test('asks for the namespace of the tenancy once, or not at all', async () => {
  await using place = await setUp()
  await Promise.all([place.source.list(''), place.source.list('')])
  await place.source.list('')
  expect(place.operations()).toEqual(['getNamespace', 'listObjects', 'listObjects', 'listObjects'])

  const before = place.operations().length
  const client = await createOciClient(place.recipe)
  await using source = createOciSource({ client, bucket: 'scores', namespace: 'tieline' })
  await source.list('')
  expect(place.operations().slice(before)).toEqual(['listObjects'])
})

test('asks for the namespace again when it was not told', async () => {
  await using place = await setUp()
  place.storage.failNext({ operation: 'getNamespace', status: 503 })
  await failureOf(place.source.list(''))
  expect(await place.source.list('')).toHaveLength(1)
})

test.each([
  [400, 'target-refused', 'never'],
  [401, 'target-unauthorized', 'backoff'],
  [403, 'target-forbidden', 'backoff'],
  [404, 'target-not-found', 'backoff'],
  [429, 'target-throttled', 'backoff'],
  [500, 'target-error', 'backoff'],
  [503, 'target-error', 'backoff'],
] as const)(
  'makes of the answer %i one failure, without a repeat and without a word on the console',
  async (status, code, kind) => {
    await using place = await setUp()
    const printed = ['log', 'warn', 'error'].map((method) => vi.spyOn(console, method as 'log'))
    const body = { code: 'SomeCode', message: 'planted words of the far side' }
    place.storage.failNext({ operation: 'listObjects', status, body })
    expect(await failureOf(place.source.list(''))).toMatchObject({
      code,
      retry: { kind },
      status,
      message: `DACS_BUCKET: list answered ${status} (SomeCode)`,
    })
    expect(place.operations()).toEqual(['getNamespace', 'listObjects'])
    for (const method of printed) expect(method).not.toHaveBeenCalled()
  },
)

test('does not take a new object of the same size for the old one', async () => {
  await using place = await setUp()
  const file = await fileOf(place.source, 'file')
  await place.put('file', 'CONTENT')
  await expect(place.source.open(file)).rejects.toMatchObject({ code: 'file-changed' })
  expect(await place.source.rename(file, 'Sent-file')).toBe('changed')
})

test('does not claim to know what became of a rename whose answer was lost', async () => {
  await using place = await setUp()
  const file = await fileOf(place.source, 'file')
  place.storage.applyThenDrop({ operation: 'renameObject' })
  const failure = await failureOf(place.source.rename(file, 'Sent-file'))
  expect(failure).toMatchObject({ code: 'target-reset', outcome: 'unknown', retry: { kind: 'backoff' } })
  expect([...place.bucket.objects.keys()]).toEqual(['Sent-file'])
})

test('goes through a proxy', async () => {
  await using proxy = await startProxy()
  await using place = await setUp({ proxy: proxy.url })
  expect(String(await buffer(await place.source.open(await fileOf(place.source, 'file'))))).toBe('content')
  const { host } = new URL(place.recipe.endpoint)
  expect(new Set(proxy.tunnels.map(({ target }) => target))).toEqual(new Set([host]))

  await using unwilling = await startProxy(407)
  await using other = await setUp({ proxy: unwilling.url })
  const failure = await failureOf(other.source.list(''))
  expect(failure).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  expect(failure.message).toContain('proxy answered 407')
})

test('gives up on an answer that does not come', async () => {
  await using place = await setUp({ timeoutMs: 300 })
  place.storage.latency({ ms: 10 * minute })
  expect(await failureOf(place.source.list(''))).toMatchObject({ code: 'target-timeout', retry: { kind: 'backoff' } })
})

test('gives up on content that stops coming, but not on a reader that takes its time', async () => {
  await using place = await setUp({ timeoutMs: 300, content: Buffer.alloc(3 * 1024 * 1024) })
  const file = await fileOf(place.source, 'file')
  const stream = await place.source.open(file)
  // Twice the time limit.
  await delay(600)
  expect(await buffer(stream)).toHaveLength(file.bytes)

  await using stalling = await startFarSide((_, response) =>
    response.writeHead(200, { 'content-length': file.bytes }).write('some'),
  )
  const client = await createOciClient({ ...place.recipe, endpoint: stalling.url, timeoutMs: 300 })
  await using source = createOciSource({ client, bucket: 'scores', namespace: 'tieline' })
  await expect(buffer(await source.open(file))).rejects.toMatchObject({ code: 'target-timeout' })
})

test.each(['not JSON', '[]', '{"objects":[{"name":"file"}]}', ''])(
  'says that nobody can read the answer %j',
  async (answer) => {
    await using key = await writeKey()
    await using strange = await startFarSide((_, response) => response.end(answer))
    const user = { tenancy: 't', user: 'u', fingerprint: 'f', proxy: '' }
    const client = await createOciClient({ ...user, ...key, connection: 'DACS_BUCKET', endpoint: strange.url })
    await using source = createOciSource({ client, bucket: 'scores', namespace: 'tieline' })
    expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-answer-invalid' })
  },
)

test('reads its key again when the file changes, and stays with the former one while that is none', async () => {
  await using place = await startTestStorage()
  const told: string[] = []
  const logger = { warn: (_about: unknown, message?: string) => void told.push(message ?? '') } as Pick<Logger, 'warn'>
  const client = await createOciClient({ ...place.recipe, keyReloadMs: 0, logger })
  await using source = createOciSource({ client, bucket: 'scores' })
  await writeFile(place.recipe.privateKeyFile, 'half of a key')
  expect(await source.list('')).toEqual([])
  expect(told).toEqual([expect.stringMatching(/privateKeyFile.*The former key stays in use/s)])
  await writeFile(place.recipe.privateKeyFile, strangersKey.privateKey)
  expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-unauthorized' })
})

test('does not start with a key that cannot be read or is none', async () => {
  await using key = await writeKey()
  const options = {
    connection: 'C',
    endpoint: 'http://127.0.0.1',
    tenancy: 't',
    user: 'u',
    fingerprint: 'f',
    proxy: '',
  }
  const faultsWith = async (privateKeyFile: string) =>
    (await failureOf(createOciClient({ ...options, privateKeyFile }))) as unknown
  expect(await faultsWith(`${key.privateKeyFile}s`)).toMatchObject({
    faults: [{ path: 'connections.C.privateKeyFile', rule: 'cannot be read (ENOENT)' }],
  })
  await writeFile(key.privateKeyFile, 'no key')
  expect(await faultsWith(key.privateKeyFile)).toMatchObject({
    faults: [{ path: 'connections.C.privateKeyFile', rule: 'is no private key that can be used' }],
  })
})
