import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { failureOf, fileOf, type ReaderUnderTest, type Setup } from './file-source-suite.ts'

const mib = 1024 * 1024
const program = fileURLToPath(new URL('./file-source-program.ts', import.meta.url))

export function describeReading(setup: Setup<ReaderUnderTest>): void {
  describe('reading', () => {
    test.each([0, 1, 32 * 1024, 5 * mib + 13])('gives exactly the %i bytes of a file', async (bytes) => {
      await using place = await setup()
      const content = randomBytes(bytes)
      await place.put('file', content)
      await using source = await place.open()
      const read = await buffer(await source.open(await fileOf(source, 'file')))
      expect(read.equals(content)).toBe(true)
    })

    test('reads many files at once', async () => {
      await using place = await setup()
      const contents = Array.from({ length: 8 }, (_, index) => randomBytes(index * 100_000 + 1))
      await Promise.all(contents.map((content, index) => place.put(`file-${index}`, content)))
      await using source = await place.open()
      const files = await Promise.all(contents.map((_, index) => fileOf(source, `file-${index}`)))
      const read = await Promise.all(files.map(async (file) => buffer(await source.open(file))))
      expect(read.map((content, index) => contents[index]?.equals(content))).toEqual(contents.map(() => true))
    })

    test.each([
      ['was written to', 'content, and more'],
      ['is gone', undefined],
    ])('does not open a file that %s since it was listed', async (_, content) => {
      await using place = await setup()
      await place.put('file', 'content')
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      await place.remove('file')
      if (content !== undefined) await place.put('file', content)
      await expect(source.open(file)).rejects.toMatchObject({ code: 'file-changed', retry: { kind: 'backoff' } })
    })

    test('is none the worse for streams that are given up', async () => {
      await using place = await setup()
      const content = randomBytes(5 * mib)
      await place.put('file', content)
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      for (let turn = 0; turn < 20; turn += 1) {
        const stream = await source.open(file)
        if (turn % 2 === 1) await once(stream, 'readable')
        stream.destroy()
        await once(stream, 'close')
      }
      expect((await buffer(await source.open(file))).equals(content)).toBe(true)
    })

    test('stops when it is told to', async () => {
      await using place = await setup()
      await place.put('file', randomBytes(5 * mib))
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      const stop = new AbortController()
      const stream = await source.open(file, stop.signal)
      await once(stream, 'readable')
      stop.abort()
      expect(await failureOf(buffer(stream))).toMatchObject({ code: 'target-reset', connection: source.connection })
      await expect(source.open(file, stop.signal)).rejects.toMatchObject({ code: 'target-reset' })
    })

    test('lets a process end that leaves a file half read', async () => {
      await using place = await setup()
      await place.put('file', randomBytes(5 * mib))
      await promisify(execFile)(process.execPath, [program, JSON.stringify(place.recipe)], { timeout: 30_000 })
    })
  })
}
