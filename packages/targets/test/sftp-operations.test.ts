import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { startSftpServer } from '@tieline/simulators/sftp-server'
import { eventually } from '@tieline/testkit/eventually'
import { expect, test } from 'vitest'
import { createFileFolder } from './file-folder.ts'
import { openSource } from './file-source-program.ts'
import { failureOf, fileOf } from './file-source-suite.ts'
import { recipeFor } from './sftp-recipe.ts'

const mib = 1024 * 1024

/** A server with one file, and a source of its directory. */
async function setUp(content: string | Buffer = 'content', directory = '') {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startSftpServer({ username: 'tieline', password: 'p@ss' }))
  const folder = createFileFolder(server.directory)
  await folder.put('file', content)
  const source = stack.use(await openSource(recipeFor(server, { password: 'p@ss', directory })))
  const owned = stack.move()
  const count = (operation: string) => server.received.filter((request) => request.operation === operation).length
  return { server, folder, source, count, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test.each(['', '/', '.', '/sub/..', './'])('finds the files of the directory "%s"', async (directory) => {
  await using place = await setUp('content', directory)
  const file = await fileOf(place.source, 'file')
  expect(String(await buffer(await place.source.open(file)))).toBe('content')
  expect(await place.source.rename(file, 'Sent-file')).toBe('renamed')
  expect(await place.folder.names()).toEqual(['Sent-file'])
})

test('asks no further ahead than it must when its reader is slow', async () => {
  await using place = await setUp(randomBytes(8 * mib))
  const file = await fileOf(place.source, 'file')
  place.server.cutAfter(3 * mib)
  const stream = await place.source.open(file)
  await once(stream, 'readable')
  // The server answers in order: this comes after everything that the stream has asked for.
  await place.source.find('file')
  expect(place.server.connections()).toBe(1)
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'target-reset' })
})

test('fails a stream at once whose connection was lost before it was read', async () => {
  await using place = await setUp()
  const stream = await place.source.open(await fileOf(place.source, 'file'))
  place.server.cut()
  await eventually(async () => (await place.source.list('')).length === 1)
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'target-reset' })
})

test('gives back every handle, whatever became of the stream', async () => {
  await using place = await setUp(randomBytes(3 * mib))
  const file = await fileOf(place.source, 'file')
  await buffer(await place.source.open(file))
  ;(await place.source.open(file)).destroy()
  const begun = await place.source.open(file)
  await once(begun, 'readable')
  begun.destroy()
  await place.folder.append('file', 'more')
  await expect(place.source.open(file)).rejects.toMatchObject({ code: 'file-changed' })
  expect(place.count('open')).toBe(4)
  await eventually(() => place.count('close') === place.count('open') + place.count('opendir'))
})

test.each([
  ['open', (place) => fileOf(place.source, 'file').then(place.source.open)],
  ['opendir', ({ source }) => source.list('')],
  ['stat', ({ source }) => source.find('file')],
  ['rename', (place) => fileOf(place.source, 'file').then((file) => place.source.rename(file, 'Sent-file'))],
] as [string, (place: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>][])(
  'tells apart no permission and a failure of %s',
  async (operation, act) => {
    await using place = await setUp()
    place.server.failNext({ operation, status: 3 })
    expect(await failureOf(act(place))).toMatchObject({ code: 'target-forbidden', retry: { kind: 'backoff' } })
    place.server.failNext({ operation, status: 4 })
    expect(await failureOf(act(place))).toMatchObject({ code: 'target-error', retry: { kind: 'backoff' } })
    expect(place.server.logins).toHaveLength(1)
  },
)

test('does not claim to know what became of a rename whose answer was lost', async () => {
  await using place = await setUp()
  const file = await fileOf(place.source, 'file')
  place.server.applyThenDrop({ operation: 'rename' })
  const failure = await failureOf(place.source.rename(file, 'Sent-file'))
  expect(failure).toMatchObject({ code: 'target-reset', outcome: 'unknown', retry: { kind: 'backoff' } })
  expect(await place.folder.names()).toEqual(['Sent-file'])
  expect(await place.source.rename(file, 'Sent-file')).toBe('changed')
})

test('sees in the refusal of a rename that another worker was faster', async () => {
  await using place = await setUp()
  const file = await fileOf(place.source, 'file')
  place.server.failNext({ operation: 'rename', status: 4, apply: true })
  expect(await place.source.rename(file, 'Sent-file')).toBe('changed')
})

test('names neither files nor words of the server in its failures', async () => {
  await using place = await setUp()
  const file = await fileOf(place.source, 'file')
  place.server.failNext({ operation: 'open', status: 4 })
  expect((await failureOf(place.source.open(file))).message).toBe('DACS_FILES: open was answered with SFTP status 4')
})
