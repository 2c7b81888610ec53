import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { FileSource } from '../src/file-source.ts'
import { failureOf, fileOf, type Setup, type SourceUnderTest } from './file-source-suite.ts'

/** A place in a file system. */
export interface FolderUnderTest extends SourceUnderTest {
  makeFolder(name: string): Promise<void>
  makeLink(name: string, target: string): Promise<void>
  append(name: string, content: string): Promise<void>
  /** Opens a folder of it, and what is below that. */
  openBelow(folder: string): Promise<FileSource>
  /** Sets the time of the last change to an hour ago. */
  age(name: string): Promise<void>
}

/** What places of files promise that are directories of a file system. */
export function describeFolders(name: string, setup: Setup<FolderUnderTest>): void {
  describe(`${name}, being a folder`, () => {
    test('leaves out folders and links to folders, and follows links to files', async () => {
      await using place = await setup()
      await place.put('file', 'content')
      await place.makeFolder('folder')
      await place.makeLink('link-to-file', 'file')
      await place.makeLink('link-to-folder', 'folder')
      await place.makeLink('link-to-nothing', 'nothing')
      await place.makeLink('link-to-itself', 'link-to-itself')
      await place.makeLink('link-out-of-reach', '/root/file')
      await using source = await place.open()
      const files = await source.list('')
      expect(files.map(({ name, bytes }) => ({ name, bytes }))).toEqual([
        { name: 'file', bytes: 7 },
        { name: 'link-to-file', bytes: 7 },
      ])
      for (const name of ['folder', 'link-to-folder', 'link-to-nothing']) {
        expect(await source.find(name)).toBeUndefined()
      }
    })

    test('never follows a link out of its folder, also one that comes after the look', async () => {
      await using place = await setup()
      await place.put('secret', 'secret')
      await place.put('inner/deep/file', 'file')
      await place.put('inner/later', 'secret')
      await place.makeLink('inner/out', '../secret')
      await place.makeLink('inner/up', '..')
      await place.makeLink('inner/aside', '../inner-too')
      await place.put('inner-too/file', 'other')
      await place.makeLink('inner/within', 'deep/file')
      await place.makeLink('inner/around', '../inner/deep')
      await using source = await place.openBelow('inner')
      // It is told, so that somebody hears of it.
      expect((await source.list('')).map(({ name }) => name)).toEqual(['later', 'out', 'within'])
      for (const name of ['within', 'around/file', 'deep/file'])
        expect(await text(await source.open(await fileOf(source, name)))).toBe('file')
      const file = await fileOf(source, 'later')
      await place.remove('inner/later')
      await place.makeLink('inner/later', '../secret')
      for (const name of ['out', 'up/secret', 'aside/file', 'later']) {
        const refused = failureOf(source.open({ ...((await source.find(name)) ?? file), name }))
        expect(await refused).toMatchObject({ code: 'file-name-refused', retry: { kind: 'never' }, outcome: 'failed' })
      }
      await expect(source.open({ ...file, name: 'later' })).rejects.toMatchObject({ code: 'file-name-refused' })
    })

    test('takes a file with another time for another file, even if it has the same size', async () => {
      await using place = await setup()
      await place.put('file', 'content')
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      await place.age('file')
      await expect(source.open(file)).rejects.toMatchObject({ code: 'file-changed' })
      expect(await source.rename(file, 'Sent-file')).toBe('changed')
    })

    test('fails a stream whose file grows while it is read', async () => {
      await using place = await setup()
      await place.put('file', randomBytes(5 * 1024 * 1024))
      await using source = await place.open()
      const stream = await source.open(await fileOf(source, 'file'))
      await once(stream, 'readable')
      await place.append('file', 'more')
      await expect(buffer(stream)).rejects.toMatchObject({ code: 'file-changed' })
    })
  })
}
