const pattern =
  /^([1-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/

const earliestMs = Date.UTC(1000, 0, 1)
const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * True for an XSD `dateTime` with seconds and a zone (`Z` or an offset) that names a real day: 30 February is refused.
 * Years 1000 to 9999, also after conversion to UTC, so that whatever is accepted can be converted.
 */
export function isDateTime(text: string): boolean {
  const match = pattern.exec(text)
  if (match === null) return false
  const [, year, month, day] = match.map(Number) as [number, number, number, number]
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false
  const ms = Date.parse(text)
  return ms >= earliestMs && ms <= latestMs
}

/** True for a `dateTime` that is written in UTC with `Z`, as DERMS writes and expects them. */
export const isUtcDateTime = (text: string): boolean => text.endsWith('Z') && isDateTime(text)

/**
 * The same instant written in UTC. Fractions of a second keep their digits; a text that is in UTC already stays as it is.
 * @param text a text that `isDateTime` accepts
 */
export function toUtc(text: string): string {
  if (text.endsWith('Z')) return text
  const fraction = pattern.exec(text)?.[4] ?? ''
  return new Date(text.replace(fraction, '')).toISOString().replace('.000Z', `${fraction}Z`)
}

/**
 * The time of an acknowledgment (`whenISO`, `responseTimeISO`): UTC, with milliseconds always written as `000`, which is how
 * the accelerator writes it.
 */
export const ackTime = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}.000Z`
