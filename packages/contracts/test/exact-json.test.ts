import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../src/canonical-json.ts'
import { digitsOf, isRawNumber, parseExactJson } from '../src/exact-json.ts'
import { isJsonObject, textOf } from '../src/json-object.ts'
import { number } from '../src/messages/fields.ts'

const numbers = [
  '12345678901234567890',
  '9007199254740993',
  '-9007199254740993',
  '1e400',
  '1E5',
  '1e-7',
  '1.10',
  '0.1',
  '-0',
  '-0.0',
  '0',
  '42',
]

describe('numbers', () => {
  test('are written as they were read', () => {
    for (const digits of numbers) {
      const [read] = parseExactJson(`[${digits}]`) as [unknown]
      expect(JSON.stringify(read)).toBe(digits)
      expect(digitsOf(read)).toBe(digits)
      expect(textOf(read)).toBe(digits)
      expect(canonicalJson({ b: read, a: 1 })).toBe(`{"a":1,"b":${digits}}`)
      expect(isJsonObject(read)).toBe(false)
      expect(number.parse(read)).toBe(read)
    }
  })

  test('stay numbers where a double has the same digits', () => {
    const text = '{"a":[0,42,-7,12.5,9007199254740991],"b":{"c":1e+21}}'
    expect(parseExactJson(text)).toStrictEqual(JSON.parse(text))
  })

  test('keep their digits wherever they stand and whatever stands around them', () => {
    const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,24})(?:\.\d{1,25})?(?:[eE][+-]?\d{1,3})?$/)
    const space = fc.constantFrom('', ' ', '\n\t', '  \r\n')
    const value = fc.oneof(digits, fc.string().map(canonicalJson), fc.constantFrom('null', 'true'))
    const list = fc.array(fc.tuple(space, value, space), { minLength: 1, maxLength: 5 })
    const text = list.map((values) => `[${values.map((parts) => parts.join('')).join()}]`)
    fc.assert(
      fc.property(text, digits, (inner, last) => {
        const read = parseExactJson(`{"a": ${inner},"b":${last}}`)
        expect(JSON.stringify(read)).toBe(`{"a":${withoutSpace(inner)},"b":${last}}`)
      }),
      { numRuns: 1_000 },
    )
  })
})

test('an object that only looks like a raw number is none', () => {
  const object = parseExactJson('{"rawJSON":"1","other":1.10}')
  expect(isRawNumber(object)).toBe(false)
  expect(isJsonObject(object)).toBe(true)
  expect(number.safeParse(object).success).toBe(false)
  expect(JSON.stringify(object)).toBe('{"rawJSON":"1","other":1.10}')
})

test('a field called __proto__ stays a field beside a number at risk', () => {
  const text = '{"__proto__":{"x":1.10},"y":2.50}'
  expect(JSON.stringify(parseExactJson(text))).toBe(text)
})

/** Of a list of texts without spaces of their own, numbers and words. */
const withoutSpace = (list: string): string =>
  list.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_all, text: string | undefined) => text ?? '')
