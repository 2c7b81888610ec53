import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { readSimulatorEnvironment } from '../src/environment.ts'
import { startFilePlaces } from '../src/file-places.ts'
import { createFolderPlace } from '../src/folder-place.ts'
import { anyPorts } from './any-ports.ts'
import { breakOff } from './break-off.ts'
import { createPlaceClient } from './place-client.ts'
import { connectTo, namesIn, readAll } from './sftp-session.ts'

const places = await startFilePlaces(readSimulatorEnvironment(anyPorts))
const clients = {
  sftp: createPlaceClient(places.controls.sftp),
  'object-storage': createPlaceClient(places.controls.objectStorage),
}

beforeEach(() => Promise.all(Object.values(clients).map(({ control }) => control('reset'))))
afterAll(() => places[Symbol.asyncDispose]())

/** The status of a request whose path is sent as it is: `fetch` would mend it. */
const statusOfRaw = (method: string, address: string, path: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port, pathname } = new URL(address)
    request({ hostname, port, method, path: `${pathname}/control/files/${path}` }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
      .once('error', reject)
      .end()
  })

describe.each(['sftp', 'object-storage'] as const)('files of %s', (kind) => {
  const place = clients[kind]

  test('are put, listed by name, read, replaced and removed', async () => {
    const from = Math.floor(Date.now() / 1_000) * 1_000
    expect(await place.put('b.csv', 'Größe\n')).toBe(204)
    expect(await place.put('a.csv', '')).toBe(204)
    const listed = await place.list()
    expect(listed).toEqual([
      { name: 'a.csv', bytes: 0, modifiedAt: expect.any(Number) },
      { name: 'b.csv', bytes: 8, modifiedAt: expect.any(Number) },
    ])
    for (const { modifiedAt } of listed) expect(modifiedAt).toBeGreaterThanOrEqual(from)
    const { status, headers, text } = await place.read('b.csv')
    expect([status, headers.get('content-type'), text]).toEqual([200, 'text/plain; charset=utf-8', 'Größe\n'])
    expect(await place.put('b.csv', 'new')).toBe(204)
    expect((await place.read('b.csv')).text).toBe('new')
    expect(await place.remove('b.csv')).toBe(204)
    expect(await place.names()).toEqual(['a.csv'])
  })

  test.each(['100% ä.csv', 'a%2Fb%25', 'a\\b', '...', '<b>.csv', 'a\nb', '?#&', '日本.csv'])(
    'have any name: %j',
    async (name) => {
      expect(await place.put(name, name)).toBe(204)
      expect(await place.names()).toEqual([name])
      expect((await place.read(name)).text).toBe(name)
      expect(await place.remove(name)).toBe(204)
      expect(await place.names()).toEqual([])
    },
  )

  test('that are not there are answered with 404', async () => {
    expect((await place.read('a.csv')).status).toBe(404)
    expect(await place.remove('a.csv')).toBe(404)
  })

  test('leave nothing when they break off on the way', async () => {
    await place.put('a.csv', 'old')
    await breakOff('PUT', `${place.url}/control/files/a.csv`, 'content-length: 100')
    await breakOff('PUT', `${place.url}/control/files/b.csv`, 'chunked')
    expect(await place.names()).toEqual(['a.csv'])
    expect((await place.read('a.csv')).text).toBe('old')
    using session = await connectTo(places.sftp)
    expect(await namesIn(session.sftp, '/')).toEqual(['scores'])
  })
})

describe('the folder of the SFTP server', () => {
  const place = clients.sftp

  test.each(['..%2Foutside', 'x%2F..%2F..%2Foutside', '%2Foutside', '..', '%2e%2e', '.', '../outside', '%00', 'a%00b'])(
    'is not left by %s',
    async (path) => {
      using session = await connectTo(places.sftp)
      await new Promise<void>((resolve) => session.sftp.createWriteStream('/outside').end('ours', () => resolve()))
      for (const method of ['GET', 'PUT', 'DELETE']) {
        expect(await statusOfRaw(method, place.url, path)).toBeGreaterThanOrEqual(400)
      }
      expect(await readAll(session.sftp, '/outside')).toBe('ours')
      expect(await place.names()).toEqual([])
    },
  )

  test('is not left by a link that lies in it', async () => {
    const root = await mkdtemp(join(tmpdir(), 'tieline-folder-'))
    onTestFinished(() => rm(root, { recursive: true }))
    const folder = await createFolderPlace(root, 'scores')
    const outside = join(root, 'outside')
    await writeFile(outside, 'ours')
    await symlink(outside, join(root, 'scores', 'link'))
    expect(await folder.list()).toEqual([])
    await expect(folder.read('link')).rejects.toThrow('ELOOP')
    await folder.put('link', Readable.from(['theirs']))
    expect(await readFile(outside, 'utf8')).toBe('ours')
    expect(await readdir(root)).toEqual(['outside', 'scores'])
    expect(String(await folder.read('link'))).toBe('theirs')
  })

  test('shows no half of a file', async () => {
    const root = await mkdtemp(join(tmpdir(), 'tieline-folder-'))
    onTestFinished(() => rm(root, { recursive: true }))
    const folder = await createFolderPlace(root, 'scores')
    const seen: (readonly string[])[] = []
    async function* content() {
      yield 'first half, '
      seen.push(await readdir(join(root, 'scores')))
      yield 'second half'
    }
    await folder.put('a', Readable.from(content()))
    expect(seen).toEqual([[]])
    expect(String(await folder.read('a'))).toBe('first half, second half')
  })
})
