import type { FileSource, SourceFile } from '@tieline/targets/file-source'
import { expect, test } from 'vitest'
import { checkPrefixed, moveAside } from '../src/move-aside.ts'

const nowMs = Date.UTC(2026, 0, 31, 5, 0, 3, 250)

/** A place where these names are taken. */
function placeWith(...taken: string[]) {
  const tried: string[] = []
  const source = {
    async rename(_: SourceFile, name: string) {
      tried.push(name)
      return taken.includes(name) ? 'exists' : 'renamed'
    },
  } as Pick<FileSource, 'rename'> as FileSource
  return { source, tried }
}

const file = (name: string): SourceFile => ({ name, version: '1', bytes: 1, modifiedAt: 0 })

test.each([
  ['a.csv', [], 'Sent-a.csv'],
  ['a.csv', ['Sent-a.csv'], 'Sent-a-20260131T050003Z.csv'],
  ['a.csv', ['Sent-a.csv', 'Sent-a-20260131T050003Z.csv'], 'Sent-a-20260131T050003Z-2.csv'],
  ['a.tar.gz', ['Sent-a.tar.gz'], 'Sent-a.tar-20260131T050003Z.gz'],
  ['a', ['Sent-a'], 'Sent-a-20260131T050003Z'],
  ['.a', ['Sent-.a'], 'Sent-.a-20260131T050003Z'],
])('%s, with %j there, becomes %s', async (name, taken, expected) => {
  const { source } = placeWith(...taken)
  expect(await moveAside(source, file(name), 'Sent-', nowMs)).toBe(expected)
})

test('a file that is another one by now is left alone', async () => {
  const source = { rename: async () => 'changed' } as Pick<FileSource, 'rename'> as FileSource
  expect(await moveAside(source, file('a'), 'Sent-', nowMs)).toBeUndefined()
})

test('a name is refused that could not be renamed, also when the plain new name is taken', () => {
  const longest = 255 - 'Error--20260131T050003Z-2'.length
  expect(checkPrefixed('x'.repeat(longest), ['Sent-', 'Error-'], nowMs)).toBeUndefined()
  expect(checkPrefixed('x'.repeat(longest + 1), ['Sent-', 'Error-'], nowMs)).toBe('is longer than 255 bytes')
  expect(checkPrefixed('a/b', ['Sent-'], nowMs)).toBe('holds a slash or backslash')
})
