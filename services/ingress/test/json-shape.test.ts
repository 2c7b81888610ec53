import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unfitShape } from '../src/json-shape.ts'

const padding = 'x'.repeat(64 * 1024)
const shapeOf = (json: string) => unfitShape(Buffer.from(json))

test('JSON of many values or much nesting is found without parsing it', () => {
  const items = (count: number, item: string) => `[${Array(count).fill(item).join()}]`
  const nested = (depth: number) => `["${padding}",${'['.repeat(depth)}${']'.repeat(depth)}]`
  expect(shapeOf(items(50_000, '0'))).toBeUndefined()
  expect(shapeOf(items(50_001, '0'))).toBe('size')
  expect(shapeOf(`{${Array.from({ length: 50_001 }, (_, n) => `"${n}":0`).join()}}`)).toBe('size')
  expect(shapeOf(items(10, items(30_000, '[]')))).toBe('size')
  expect(shapeOf(items(12, items(41_000, '0')))).toBeUndefined()
  expect(shapeOf(items(12, items(42_000, '0')))).toBe('size')
  expect(shapeOf(nested(199))).toBeUndefined()
  expect(shapeOf(nested(200))).toBe('depth')
})

test('what stands in texts is no structure, however it is escaped', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', '\u00e9', '\\\\"') })
  fc.assert(
    fc.property(fc.array(text, { maxLength: 100 }), (texts) => {
      const many = texts.map((one) => one.repeat(1_000))
      expect(shapeOf(JSON.stringify([padding, ...many]))).toBeUndefined()
      const deep = `{"a":${JSON.stringify([padding, ...many])},"b":${'['.repeat(201)}`
      expect(shapeOf(deep)).toBe('depth')
    }),
    { numRuns: 50 },
  )
})

test('what is no JSON is left to the parser', () => {
  for (const text of [padding, `"${padding}`, `"${padding}\\`, `]${'['.repeat(70_000)}`, `{"a":"${padding}\\"`])
    expect(shapeOf(text)).toBeUndefined()
})
