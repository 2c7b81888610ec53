import { isDateTime } from '@tieline/contracts/date-time'
import fc, { type Arbitrary } from 'fast-check'
import { z } from 'zod'

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
}

/** Anything that a contract lets in, made from its JSON Schema, so that a change of the contract changes the test. */
export const arbitraryOf = (contract: z.ZodType): Arbitrary<unknown> =>
  fromSchema(z.toJSONSchema(contract, { io: 'input' }) as JsonSchema)

function fromSchema(schema: JsonSchema): Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(fromSchema))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => fromSchema({ ...schema, type })))
  switch (schema.type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'number':
    case 'integer':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'string':
      return schema.format === 'date-time' ? dateTimes : texts(schema)
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 3 })
    case 'object':
      return objects(schema)
    case undefined:
      return fc.jsonValue()
    default:
      throw new Error(`No values are known for the type ${schema.type}`)
  }
}

/** Whatever characters there are, and texts of the greatest length that change their length when their case changes. */
const texts = ({ minLength = 0, maxLength = 3_000 }: JsonSchema) =>
  fc.oneof(
    fc.string({ unit: 'binary', minLength }).map((text) => text.slice(0, maxLength)),
    fc.constantFrom('a', 'ß', 'ŉ', '🔋', '\ud83d').map((unit) => unit.repeat(maxLength).slice(0, maxLength)),
  )

function objects({ properties = {}, required = [], additionalProperties }: JsonSchema): Arbitrary<unknown> {
  const known = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, fromSchema(property)]))
  const keys = fc.record(known, { requiredKeys: [...required] })
  if (additionalProperties === false) return keys
  const names = fc.oneof(fc.string(), fc.constantFrom(...dermsNames)).filter((name) => !Object.hasOwn(known, name))
  return fc
    .tuple(fc.dictionary(names, fc.jsonValue(), { maxKeys: 3 }), keys)
    .map(([more, own]) => ({ ...more, ...own }))
}

/** Names that only the other side uses: somebody may send them all the same. */
const dermsNames = [
  'startDateTimeISO',
  'endDateTimeISO',
  'deviceStatus',
  'installDateTimeISO',
  'startDate',
  'dacsMessageId',
  'transactionId',
]

const twoDigits = (value: number) => String(value).padStart(2, '0')

const dateTimes = fc
  .tuple(
    fc.date({ min: new Date('1000-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }),
    fc.constantFrom('', '.5', '.123', '.000', '.123456789'),
    fc.integer({ min: -13 * 60, max: 13 * 60 }),
  )
  .map(([date, fraction, offset]) => {
    const minutes = Math.abs(offset)
    const zone = `${offset < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
    return `${date.toISOString().slice(0, 19)}${fraction}${offset === 0 ? 'Z' : zone}`
  })
  .filter(isDateTime)
