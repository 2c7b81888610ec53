import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { failureOf, fileOf, type ReaderUnderTest, type Setup } from './file-source-suite.ts'

/** Names that a path, an address or a query would garble if one forgot to encode them. */
export const strangeNames = [
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

/** Paths that must not be followed, or lead to nothing. `flat` and `123/45/12345.pdf` are there. */
const wrongPaths = [
  ...['/flat', 'flat/', './flat', '123/../flat', '../flat', '..', '.', '', '/', '//', '123//45/12345.pdf', '123/./45'],
  ...[
    '123',
    '123/45',
    '123/45/',
    'flat/more',
    '123/45/1234',
    '123/45/12345.pdf/more',
    '123\\45\\12345.pdf',
    '123/4\n5',
  ],
  ...['%2e%2e/flat', '123%2F45%2F12345.pdf', `${'a/'.repeat(30)}b`],
]

export function describeFinding(setup: Setup<ReaderUnderTest>): void {
  describe('finding', () => {
    test('finds one file, and nothing under a name that none has', async () => {
      await using place = await setup()
      await place.put('DeviceScore_10', 'ten')
      await using source = await place.open()
      const before = Date.now()
      const file = await fileOf(source, 'DeviceScore_10')
      expect(file).toMatchObject({ name: 'DeviceScore_10', bytes: 3 })
      expect(Math.abs(file.modifiedAt - before)).toBeLessThan(60_000)
      for (const name of ['DeviceScore_1', 'DeviceScore_100', 'devicescore_10', 'a/b', '../x', '']) {
        expect(await source.find(name)).toBeUndefined()
      }
    })

    test('finds and opens under every name exactly as it is', async () => {
      await using place = await setup()
      for (const name of strangeNames) await place.put(name, name)
      await using source = await place.open()
      for (const name of strangeNames) {
        const file = await fileOf(source, name)
        expect(file.name).toBe(name)
        expect(await text(await source.open(file))).toBe(name)
      }
    })

    test('finds and opens in folders below when it may, and nothing that lies elsewhere', async () => {
      await using place = await setup()
      await place.put('flat', 'flat')
      await place.put('123/45/12345.pdf', 'deep')
      await place.put('100%/a?b=c/#+ .pdf', 'strange')
      await using flat = await place.open()
      await using deep = await place.open({ folders: true })
      expect(await flat.find('123/45/12345.pdf')).toBeUndefined()
      const file = await fileOf(deep, '123/45/12345.pdf')
      expect(file).toMatchObject({ name: '123/45/12345.pdf', bytes: 4 })
      expect(await text(await deep.open(file))).toBe('deep')
      expect(await text(await deep.open(await fileOf(deep, '100%/a?b=c/#+ .pdf')))).toBe('strange')
      expect(await text(await deep.open(await fileOf(deep, 'flat')))).toBe('flat')
      await expect(flat.open(file)).rejects.toMatchObject({ code: 'file-name-refused', retry: { kind: 'never' } })
      for (const name of wrongPaths) {
        expect({ name, found: await deep.find(name) }).toEqual({ name, found: undefined })
        const { code } = await failureOf(deep.open({ ...file, name }))
        expect(['file-name-refused', 'file-changed'], name).toContain(code)
      }
    })

    test('says that the directory or bucket does not exist', async () => {
      await using place = await setup()
      await using source = await place.openMissing()
      const failure = await failureOf(source.find('file'))
      expect(failure).toMatchObject({ name: 'CallError', code: 'target-not-found', retry: { kind: 'backoff' } })
      expect(failure.message.startsWith(`${source.connection}: `)).toBe(true)
    })
  })
}
