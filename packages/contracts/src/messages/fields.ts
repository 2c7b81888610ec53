import { z } from 'zod'
import { isDateTime, isUtcDateTime } from '../date-time.ts'
import { isRawNumber, type RawNumber } from '../exact-json.ts'

/** A text that must be there and not be empty. */
export const requiredText = (lengthMax: number) => z.string().min(1).max(lengthMax)

/** A text that may be missing, null or empty: senders write "nothing" in all three ways. */
export const optionalText = (lengthMax: number) => z.string().max(lengthMax).nullish()

/** XSD `dateTime` with a zone, a real day. */
export const dateTime = z.stringFormat('date-time', isDateTime)

export const optionalDateTime = z.union([dateTime, z.literal('')]).nullish()

/** XSD `dateTime` in UTC. */
export const utcDateTime = z.stringFormat('date-time', isUtcDateTime)

export const optionalUtcDateTime = z.union([utcDateTime, z.literal('')]).nullish()

/** One of DACS' codes, or nothing. */
export const optionalCode = <const Codes extends readonly [string, ...string[]]>(codes: Codes) =>
  z.enum([...codes, '']).nullish()

/** A number with the digits of its sender. */
export const number = z
  .unknown()
  .transform((value, context): number | RawNumber => {
    if (typeof value === 'number' || isRawNumber(value)) return value
    context.issues.push({ code: 'invalid_type', expected: 'number', input: value })
    return z.NEVER
  })
  .meta({ type: 'number' })
