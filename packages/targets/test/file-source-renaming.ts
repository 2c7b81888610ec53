import { describe, expect, test } from 'vitest'
import { fileOf, type Setup } from './file-source-suite.ts'

export function describeRenaming(setup: Setup): void {
  describe('renaming', () => {
    test('gives a file another name and leaves its content', async () => {
      await using place = await setup()
      await place.put('file', 'content')
      await using source = await place.open()
      expect(await source.rename(await fileOf(source, 'file'), 'Sent-file')).toBe('renamed')
      expect(await place.names()).toEqual(['Sent-file'])
      expect(String(await place.read('Sent-file'))).toBe('content')
    })

    test('never overwrites a file', async () => {
      await using place = await setup()
      await place.put('file', 'new')
      await place.put('Sent-file', 'old')
      await using source = await place.open()
      expect(await source.rename(await fileOf(source, 'file'), 'Sent-file')).toBe('exists')
      expect(String(await place.read('file'))).toBe('new')
      expect(String(await place.read('Sent-file'))).toBe('old')
    })

    test('leaves a file alone that has changed, and does not miss one that is gone', async () => {
      await using place = await setup()
      await place.put('file', 'content')
      await using source = await place.open()
      const file = await fileOf(source, 'file')
      await place.put('file', 'content, and more')
      expect(await source.rename(file, 'Sent-file')).toBe('changed')
      expect(await place.names()).toEqual(['file'])
      await place.remove('file')
      expect(await source.rename(file, 'Sent-file')).toBe('changed')
      expect(await place.names()).toEqual([])
    })

    test.each([
      ['the same name', ['Sent-file', 'Sent-file']],
      ['two names', ['Sent-file', 'Error-file']],
    ])('lets one of two workers win who race for %s', async (_, newNames) => {
      await using place = await setup()
      await using one = await place.open()
      await using other = await place.open()
      for (let turn = 0; turn < 10; turn += 1) {
        await place.put('file', `content ${turn}`)
        const file = await fileOf(one, 'file')
        const ends = await Promise.all(
          [one, other].map((source, index) => source.rename(file, `${newNames[index]}-${turn}`)),
        )
        expect(ends.filter((end) => end === 'renamed')).toHaveLength(1)
        const left = await place.names()
        expect(left).toHaveLength(1)
        expect(String(await place.read(left[0] ?? ''))).toBe(`content ${turn}`)
        await place.remove(left[0] ?? '')
      }
    })
  })
}
