import { posix, win32 } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkFileName } from '../src/file-source.ts'

test.each([
  'DeviceScore_20240901050000_001.csv',
  '.hidden',
  'a.b.c',
  'two words',
  '100%',
  '~',
  'Café',
  'Cafe\u0301',
  'a'.repeat(255),
  '\u{1F600}'.repeat(63),
])('takes the name %j', (name) => {
  expect(checkFileName(name)).toBeUndefined()
})

test.each([
  ['', 'is empty'],
  ['.', 'could lead to another directory'],
  ['..', 'could lead to another directory'],
  ['a..b', 'could lead to another directory'],
  ['a/b', 'holds a slash or backslash'],
  ['a\\b', 'holds a slash or backslash'],
  ['a\u0000b', 'holds a control character'],
  ['a\nb', 'holds a control character'],
  ['a\u007Fb', 'holds a control character'],
  ['a\u009Fb', 'holds a control character'],
  ['a\uFFFDb', 'is not Unicode text'],
  ['a\uD800b', 'is not Unicode text'],
  ['a'.repeat(256), 'is longer than 255 bytes'],
  ['\u{1F600}'.repeat(64), 'is longer than 255 bytes'],
])('refuses the name %j, because it %s', (name, why) => {
  expect(checkFileName(name)).toBe(why)
})

test('takes no name that leads elsewhere as part of a path or an address', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('', '.', '..', '/', '\\'),
      (text, more) => {
        const name = text + more
        fc.pre(checkFileName(name) === undefined)
        expect(posix.join('/directory', name)).toBe(`/directory/${name}`)
        expect(win32.dirname(win32.join('\\directory', `x${name}`))).toBe('\\directory')
        const { pathname } = new URL(`https://host/directory/${encodeURIComponent(name)}`)
        expect(decodeURIComponent(pathname)).toBe(`/directory/${name}`)
      },
    ),
  )
})
