import { isDateTime } from '../date-time.ts'

/**
 * The forms of XSD and ISO 8601 by calendar date: with or without delimiters, a blank or a small letter for `T` and `Z`, no
 * seconds or no time at all, a comma before the fraction, an offset in any of its forms or none.
 */
const form =
  /^(\d{4})(-?)(\d{2})\2(\d{2})(?:(?:[Tt]| +)(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?)? *([Zz]|[+-]\d{2}(?::?\d{2})?)?$/

const dayMs = 86_400_000

/**
 * A date-time as the contracts have it: XSD with seconds and a zone, which stays the one of the text. 24:00:00 is the beginning of
 * the next day; a date alone is its beginning. Undefined for anything else.
 * @param timezone IANA name, for a text that says none
 */
export function bendDateTime(given: string, timezone: string): string | undefined {
  const [, year = '', , month = '', day = '', hour = '00', minute = '00', second = '00', digits, zone] =
    form.exec(given.trim()) ?? []
  if (year === '') return undefined
  const endsDay = hour === '24' && minute === '00' && second === '00' && Number(digits ?? 0) === 0
  const date = endsDay ? nextDay(`${year}-${month}-${day}`) : `${year}-${month}-${day}`
  const local = `${date}T${endsDay ? '00' : hour}:${minute}:${second}`
  // Digits beyond nanoseconds say nothing, and the contracts end there.
  const fraction = digits === undefined || endsDay ? '' : `.${digits.slice(0, 9)}`
  if (!isDateTime(`${local}Z`)) return undefined
  const bent = `${local}${fraction}${zone === undefined ? offsetIn(timezone, local) : offsetOf(zone)}`
  return isDateTime(bent) ? bent : undefined
}

const nextDay = (date: string): string =>
  isDateTime(`${date}T00:00:00Z`) ? new Date(Date.parse(date) + dayMs).toISOString().slice(0, 10) : date

/** `+07`, `+0700` and `+07:00` are the same. */
function offsetOf(zone: string): string {
  if (zone.toUpperCase() === 'Z') return 'Z'
  return `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`
}

/**
 * The offset of a local time in a zone. A time that a change of the clocks has twice is the first of them; one that it leaves out
 * is read with the offset from before.
 */
function offsetIn(timezone: string, local: string): string {
  const localMs = Date.parse(`${local}Z`)
  const before = offsetMinutesAt(timezone, localMs - dayMs)
  const after = offsetMinutesAt(timezone, localMs + dayMs)
  const isValid = (minutes: number) => offsetMinutesAt(timezone, localMs - minutes * 60_000) === minutes
  const minutes = isValid(before) || !isValid(after) ? before : after
  if (minutes === 0) return 'Z'
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `${minutes < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(rest)}`
}

const twoDigits = (value: number) => String(value).padStart(2, '0')

const formats = new Map<string, Intl.DateTimeFormat>()

function offsetMinutesAt(timezone: string, ms: number): number {
  let format = formats.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' })
    formats.set(timezone, format)
  }
  const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes] = /^GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? []
  return hours === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
