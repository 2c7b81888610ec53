import fc from 'fast-check'

/** Stands in every text that a mutation puts into a message, and so may stand in no refusal. */
export const mark = 'MARKED-VALUE'

/** JSON as text, because much of what is odd in JSON is no value of this language. */
type Json = string

const quoted = (text: string): Json => JSON.stringify(text)

/** Texts that some code takes for something else. */
const oddTexts: readonly Json[] = [
  quoted(''),
  quoted(mark),
  quoted(`${mark}\r\nX-Injected: 1`),
  quoted(`${mark}\u0000\u001b[2J\u202e\u2028`),
  quoted(`<script>alert('${mark}')</script>`),
  quoted(`../../${mark}/%2e%2e%2f`),
  quoted(`\${${mark}} {{7*7}} '; DROP--`),
  quoted(`${mark}-ﷺ-🧨-e\u0301-\u{1d54f}`),
  `"${mark}\\ud800"`,
  `"\\udfff${mark}\\ud83d"`,
  quoted('__proto__'),
  quoted('2024-02-30T25:61:61+99:99'),
  quoted(mark.repeat(10_000)),
]

const oddNumbers: readonly Json[] = [
  '0',
  '-0',
  '-1',
  '1e400',
  '-1E-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1234567890123456789012345',
]

const oddKeys: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  mark,
  '0',
]

const oddStructures: readonly Json[] = [
  'null',
  'true',
  '[]',
  '{}',
  `[[[["${mark}"]]]]`,
  `{"__proto__":{"polluted":"${mark}"}}`,
  `{"constructor":{"prototype":{"polluted":"${mark}"}}}`,
  `${'['.repeat(150)}"${mark}"${']'.repeat(150)}`,
  `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`,
  `[${Array(3_000).fill('null').join()}]`,
  `{${Array.from({ length: 3_000 }, (_, n) => `"${mark}${n}":${n}`).join()}}`,
]

const oddValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.constantFrom(...oddNumbers),
  fc.constantFrom(...oddStructures),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => quoted(`${mark}${text}`)),
  fc.json({ maxDepth: 4 }),
)

/** What becomes of one place of a message; `at` chooses the place. */
interface Mutation {
  readonly at: number
  readonly how: 'replace' | 'remove' | 'add' | 'repeat' | 'rename' | 'wrap'
  readonly value: Json
  readonly key: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 1_000 }),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add', 'repeat', 'rename', 'wrap'),
  value: oddValue,
  key: fc.oneof(fc.constantFrom(...oddKeys), fc.string({ unit: 'binary', maxLength: 12 })),
})

/** A message like the example, but for a few places. */
export const mutated = (example: unknown): fc.Arbitrary<Json> =>
  fc.array(mutation, { minLength: 1, maxLength: 4 }).map((mutations) => write(example, placesOf(example), mutations))

/** Text that is like the example, but for a few bytes. */
export const damaged = (example: unknown): fc.Arbitrary<Buffer> => {
  const bytes = Buffer.from(JSON.stringify(example))
  const place = fc.nat({ max: bytes.length })
  return fc
    .record({ from: place, to: place, put: fc.uint8Array({ maxLength: 30 }) })
    .map(({ from, to, put }) => Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)]))
}

/** Every value of an example, in the order in which they are written. */
function placesOf(value: unknown): unknown[] {
  const inner = typeof value === 'object' && value !== null ? Object.values(value) : []
  return [value, ...inner.flatMap(placesOf)]
}

function write(example: unknown, places: readonly unknown[], mutations: readonly Mutation[]): Json {
  const at = new Map(mutations.map((one) => [one.at % places.length, one]))
  let place = 0
  const writeValue = (value: unknown): Json => {
    const here = at.get(place++)
    if (typeof value !== 'object' || value === null)
      return here ? changed(JSON.stringify(value), here) : JSON.stringify(value)
    if (Array.isArray(value)) {
      const items = value.map(writeValue)
      if (here?.how === 'repeat') items.push(...items, here.value)
      return here?.how === 'replace' ? here.value : `[${items.join()}]`
    }
    const fields = Object.entries(value).map(([key, item]) => [key, writeValue(item)] as const)
    if (here?.how === 'replace') return here.value
    return `{${changedFields(fields, here)
      .map(([key, item]) => `${quoted(key)}:${item}`)
      .join()}}`
  }
  return writeValue(example)
}

const changed = (value: Json, { how, value: odd }: Mutation): Json =>
  how === 'wrap' ? `[${value}]` : how === 'repeat' ? quoted(value.repeat(500)) : odd

type Field = readonly [key: string, value: Json]

function changedFields(fields: readonly Field[], here: Mutation | undefined): readonly Field[] {
  const [first, ...rest] = fields
  if (here === undefined || first === undefined) return fields
  switch (here.how) {
    case 'remove':
      return rest
    case 'add':
      return [[here.key, here.value], ...fields]
    case 'repeat':
      return [...fields, [first[0], here.value], first]
    case 'rename':
      return [[here.key, first[1]], ...rest]
    default:
      return [[first[0], here.value], ...rest]
  }
}
