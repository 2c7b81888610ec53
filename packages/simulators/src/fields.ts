import { z } from 'zod'

/** An optional text of a documented length. */
export const text = (max: number) => z.string().max(max).optional()

/** An identifier without which the message means nothing. */
export const key = (max: number) => z.string().min(1).max(max)

/** XSD `dateTime` with a zone; unlike ISO 8601 it has seconds. */
export const dateTime = z.iso.datetime({ offset: true }).regex(/T\d\d:\d\d:\d\d/, 'not an XSD dateTime')

/** XSD `dateTime` in UTC, the only zone that DERMS writes and reads. */
export const utcDateTime = dateTime.endsWith('Z')
