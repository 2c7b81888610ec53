import { describe, expect, test } from 'vitest'
import { failureOf, fileOf, type Setup } from './file-source-suite.ts'

/** Names that a path, an address or a query would garble if one forgot to encode them. */
const strangeNames = [
  'two words.csv',
  ' leading',
  '100%.csv',
  '%2F.csv',
  `'single' "double".csv`,
  'a#b.csv',
  'a?b=c&d.csv',
  'a+b.csv',
  'a;b:c,d@e!$(f)[g]{h}.csv',
  '.hidden',
  '-rf',
  '~',
  'Stra\u00dfe \u20ac \u{1F600}.csv',
  'Caf\u00e9.csv',
  'Cafe\u0301.csv',
]

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

    test('keeps every name exactly as it is, and finds, opens and renames under it', async () => {
      await using place = await setup()
      for (const name of strangeNames) await place.put(name, name)
      await using source = await place.open()
      expect((await source.list('')).map(({ name }) => name)).toEqual([...strangeNames].sort())
      for (const name of strangeNames) {
        expect((await source.list(name)).map((file) => file.name)).toContain(name)
        const file = await source.find(name)
        expect(file).toEqual(await fileOf(source, name))
        if (file === undefined) continue
        expect((await (await source.open(file)).toArray()).join('')).toBe(name)
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

    test('finds one file, and nothing under a name that none has', async () => {
      await using place = await setup()
      await place.put('DeviceScore_10', 'ten')
      await using source = await place.open()
      expect(await source.find('DeviceScore_10')).toMatchObject({ name: 'DeviceScore_10', bytes: 3 })
      for (const name of ['DeviceScore_1', 'DeviceScore_100', 'devicescore_10', 'a/b', '../x', '']) {
        expect(await source.find(name)).toBeUndefined()
      }
    })

    test('says that the directory or bucket does not exist', async () => {
      await using place = await setup()
      await using source = await place.openMissing()
      for (const failure of [await failureOf(source.list('')), await failureOf(source.find('file'))]) {
        expect(failure).toMatchObject({ name: 'CallError', code: 'target-not-found', retry: { kind: 'backoff' } })
        expect(failure.message.startsWith(`${source.connection}: `)).toBe(true)
      }
    })
  })
}
