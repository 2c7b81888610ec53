import { text } from 'node:stream/consumers'
import { startS3Storage } from '@tieline/simulators/s3-storage'
import { expect, test } from 'vitest'
import { closedPort } from './far-side.ts'
import { strangeNames } from './file-source-finding.ts'
import { describeNetwork, type RemoteUnderTest } from './file-source-network.ts'
import { openReader } from './file-source-program.ts'
import { describeFileReader, failureOf, fileOf } from './file-source-suite.ts'
import { startProxy } from './proxy.ts'

const credentials = { accessKeyId: 'AKIATIELINE', secretAccessKey: 'wJalr/K7MDENG+bPxRfiCY' }

async function setup() {
  const storage = await startS3Storage({ bucket: 'bills', region: 'eu-central-1', credentials })
  const recipe = {
    kind: 's3' as const,
    connection: 'BILL_STORE',
    endpoint: storage.url,
    region: 'eu-central-1',
    ...credentials,
    addressing: 'path' as const,
    proxy: '',
    bucket: 'bills',
  }
  return {
    storage: storage.simulator,
    recipe,
    open: (options = {}) => openReader({ ...recipe, ...options }),
    openMissing: () => openReader({ ...recipe, bucket: 'missing' }),
    put: async (name: string, content: string | Buffer) => storage.simulator.put(name, Buffer.from(content)),
    remove: async (name: string) => storage.simulator.remove(name),
    cutAfter: storage.simulator.cutAfter,
    openWithWrongCredentials: () => openReader({ ...recipe, secretAccessKey: 'wrong' }),
    openWhereNothingListens: async () => openReader({ ...recipe, endpoint: `http://127.0.0.1:${await closedPort()}` }),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  } satisfies RemoteUnderTest & { storage: unknown }
}

describeFileReader('a bucket that speaks S3', setup)
describeNetwork('a bucket that speaks S3', setup)

test.each([
  ['another access key', { accessKeyId: 'AKIAOTHER' }, /InvalidAccessKeyId/],
  ['another region', { region: 'us-east-1' }, /AuthorizationHeaderMalformed/],
  ['a session that nobody knows', { sessionToken: 'token' }, /InvalidToken/],
])('says that nobody is known with %s', async (_, wrong, code) => {
  await using place = await setup()
  await place.put('file', 'content')
  await using source = await openReader({ ...place.recipe, ...wrong })
  const failure = await failureOf(source.find('file'))
  expect(failure).toMatchObject({ code: 'target-unauthorized', message: expect.stringMatching(code) })
})

test('says that an object may not be read, and takes no such object for a missing one', async () => {
  await using place = await setup()
  place.storage.forbid('secret')
  await using source = await place.open()
  expect(await failureOf(source.find('secret'))).toMatchObject({ code: 'target-forbidden' })
  expect(await source.find('other')).toBeUndefined()
})

test('finds the bucket before the host, behind a proxy, with temporary credentials', async () => {
  const session = { ...credentials, sessionToken: 'FwoGZXIvYXdzEBc' }
  await using storage = await startS3Storage({ bucket: 'bills', region: 'us-east-1', credentials: session })
  storage.simulator.put('a/b.pdf', Buffer.from('content'))
  await using proxy = await startProxy()
  const endpoint = `http://s3.example:${storage.port}`
  const place = { connection: 'S', region: 'us-east-1', bucket: 'bills', proxy: proxy.url }
  const common = { kind: 's3', ...place, ...session } as const
  await using source = await openReader({ ...common, addressing: 'host', endpoint, folders: true })
  expect(await text(await source.open(await fileOf(source, 'a/b.pdf')))).toBe('content')
  expect(await source.find('none')).toBeUndefined()
  expect(proxy.tunnels[0]?.target).toBe(`bills.s3.example:${storage.port}`)
  expect(storage.simulator.received).toEqual([
    'HEAD /a/b.pdf',
    'GET /a/b.pdf',
    'HEAD /none',
    'GET /?list-type=2&max-keys=1&prefix=none',
  ])
})

test('looks for names that say something in addresses without finding them', async () => {
  await using place = await setup()
  await using source = await place.open()
  for (const name of [...strangeNames, "it's *(here)!"]) expect(await source.find(name)).toBeUndefined()
})

test('says which file of its TLS cannot be used', async () => {
  await using place = await setup()
  const opening = openReader({ ...place.recipe, tls: { caFile: '/nowhere/ca.pem' } })
  await expect(opening).rejects.toThrow('connections.BILL_STORE.tls: names a file that cannot be used (ENOENT)')
})

test('says that what answers is no storage', async () => {
  await using place = await setup()
  await using source = await openReader({ ...place.recipe, endpoint: `${place.recipe.endpoint}/elsewhere` })
  expect(await failureOf(source.find('file'))).toMatchObject({ code: 'target-not-found' })
})
