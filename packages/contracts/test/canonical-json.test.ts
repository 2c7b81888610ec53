import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../src/canonical-json.ts'

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]))
}

describe('canonical JSON', () => {
  test('is JSON of the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(plain(value))
      }),
    )
  })

  test('is the same whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))
      }),
    )
  })

  test('differs when a value differs', () => {
    const small = fc.jsonValue({ maxDepth: 1 })
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(plain(a), plain(b)))
      }),
    )
  })

  test('is the same for the two ways of writing an object with many keys', () => {
    const keys = Array.from({ length: 60 }, (_, index) => `field${index}`)
    const forward = Object.fromEntries(keys.map((key) => [key, key]))
    expect(canonicalJson(shuffled(forward))).toBe(canonicalJson(forward))
  })

  test('keeps the order of lists and every field, __proto__ too', () => {
    expect(canonicalJson([2, 1])).toBe('[2,1]')
    expect(canonicalJson(JSON.parse('{"b":1,"a":{"__proto__":{"x":1}}}'))).toBe('{"a":{"__proto__":{"x":1}},"b":1}')
  })

  test('refuses nesting that would exhaust the stack', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    expect(canonicalJson(nested(200))).toHaveLength(400)
    expect(() => canonicalJson(nested(201))).toThrow(RangeError)
    expect(() => canonicalJson(nested(100_000))).toThrow(RangeError)
  })
})

/** JSON has one zero. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
