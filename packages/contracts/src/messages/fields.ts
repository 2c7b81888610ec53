import { z } from 'zod'
import { isDateTime, isUtcDateTime } from '../date-time.ts'
import { isRawNumber, type RawNumber } from '../exact-json.ts'
import { assumedText, type CodeRule, type LengthRule, listedCode } from '../reading/rules.ts'

/** A greatest length in UTF-16 units, or the name of an assumed one. */
type LengthMax = number | LengthRule

const within = (text: z.ZodString) => (lengthMax?: number, rule?: string) =>
  lengthMax === undefined ? text : text.max(lengthMax, rule)
const plain = within(z.string())
const filled = within(z.string().min(1))

const text = (lengthMax: LengthMax, make: typeof plain) =>
  typeof lengthMax === 'number' ? make(lengthMax) : assumedText(lengthMax, make)

/** A text that must be there and not be empty. */
export const requiredText = (lengthMax: LengthMax) => text(lengthMax, filled)

/** A text that may be missing, null or empty: senders write "nothing" in all three ways. */
export const optionalText = (lengthMax: LengthMax) => text(lengthMax, plain).nullish()

/** XSD `dateTime` with a zone, a real day. */
export const dateTime = z.stringFormat('date-time', isDateTime)

export const optionalDateTime = z.union([dateTime, z.literal('')]).nullish()

/** XSD `dateTime` in UTC. */
const utcDateTime = z.stringFormat('date-time', isUtcDateTime)

export const optionalUtcDateTime = z.union([utcDateTime, z.literal('')]).nullish()

/** One of DACS' codes, or nothing. */
export const optionalCode = (rule: CodeRule, codes: readonly string[]) =>
  listedCode(rule, codes, (known) => z.enum([...known, ''])).nullish()

/** A number with the digits of its sender. */
export const number = z
  .unknown()
  .transform((value, context): number | RawNumber => {
    if (typeof value === 'number' || isRawNumber(value)) return value
    context.issues.push({ code: 'invalid_type', expected: 'number', input: value })
    return z.NEVER
  })
  .meta({ type: 'number' })
