import { describe, expect, test } from 'vitest'
import { strangeNames } from './file-source-finding.ts'
import { failureOf, fileOf, type Setup } from './file-source-suite.ts'

/** Names that must not become part of a path. File systems and buckets take them all. */
const refusedNames = ['a..b', '..a', 'back\\slash', 'tab\tname', 'line\nbreak', '\u0085next']

export function describeListing(setup: Setup): void {
  describe('listing', () => {
    test('tells the files whose names begin with the prefix, in the order of their names', async () => {
      await using place = await setup()
      for (const name of ['DeviceScore_b', 'Sent-DeviceScore_a', 'DeviceScore_a', 'deviceScore_c', 'DeviceScore_B']) {
        await place.put(name, name)
      }
      await using source = await place.open()
      const before = Date.now()
      const files = await source.list('DeviceScore')
      expect(files.map(({ name }) => name)).toEqual(['DeviceScore_B', 'DeviceScore_a', 'DeviceScore_b'])
      expect(files.map(({ bytes }) => bytes)).toEqual([13, 13, 13])
      for (const { modifiedAt } of files) expect(Math.abs(modifiedAt - before)).toBeLessThan(60_000)
    })

    test('tells nothing where nothing is or nothing fits', async () => {
      await using place = await setup()
      await using source = await place.open()
      expect(await source.list('')).toEqual([])
      await place.put('other', 'x')
      expect(await source.list('DeviceScore')).toEqual([])
      expect(await source.list('%')).toEqual([])
    })

    test('tells all of 1,200 files', async () => {
      await using place = await setup()
      const names = Array.from({ length: 1_200 }, (_, index) => `f#&%20+ ${String(index).padStart(4, '0')}`)
      await Promise.all(names.map((name) => place.put(name, '')))
      await using source = await place.open()
      expect((await source.list('f#')).map(({ name }) => name)).toEqual(names)
    })

    test('keeps every name exactly as it is, and renames under it', async () => {
      await using place = await setup()
      for (const name of strangeNames) await place.put(name, name)
      await using source = await place.open()
      expect((await source.list('')).map(({ name }) => name)).toEqual([...strangeNames].sort())
      for (const name of strangeNames) {
        expect((await source.list(name)).map((file) => file.name)).toContain(name)
        const [file] = (await source.list(name)).filter((file) => file.name === name)
        expect(await source.find(name)).toEqual(file)
        if (file === undefined) continue
        expect(await source.rename(file, `Sent-${name}`)).toBe('renamed')
      }
      expect(await place.names()).toEqual(strangeNames.map((name) => `Sent-${name}`).sort())
    })

    test('shows names that must not be used, and does not use them', async () => {
      await using place = await setup()
      for (const name of [...refusedNames, 'good']) await place.put(name, name)
      await using source = await place.open()
      const files = await source.list('')
      expect(files.map(({ name }) => name)).toEqual([...refusedNames, 'good'].sort())
      const refused = { code: 'file-name-refused', retry: { kind: 'never' }, outcome: 'failed' }
      for (const file of files.filter(({ name }) => name !== 'good')) {
        expect(await source.find(file.name)).toBeUndefined()
        await expect(source.open(file)).rejects.toMatchObject(refused)
        await expect(source.rename(file, 'better')).rejects.toMatchObject(refused)
        await expect(source.rename(await fileOf(source, 'good'), file.name)).rejects.toMatchObject(refused)
      }
      expect(await place.names()).toEqual([...refusedNames, 'good'].sort())
    })

    test('stops when it is told to', async () => {
      await using place = await setup()
      await using source = await place.open()
      await expect(source.list('', AbortSignal.abort())).rejects.toMatchObject({ code: 'target-reset' })
    })

    test('says that the directory or bucket does not exist', async () => {
      await using place = await setup()
      await using source = await place.openMissing()
      expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-not-found', retry: { kind: 'backoff' } })
    })
  })
}
