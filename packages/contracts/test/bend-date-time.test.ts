import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isDateTime, toUtc } from '../src/date-time.ts'
import { bendDateTime } from '../src/reading/bend-date-time.ts'

const pacific = 'America/Los_Angeles'

describe('a date-time in another form', () => {
  test.each([
    ['2026-07-01T11:00:00-0700', '2026-07-01T11:00:00-07:00'],
    ['2026-07-01T11:00:00-07', '2026-07-01T11:00:00-07:00'],
    ['2026-07-01T18:00Z', '2026-07-01T18:00:00Z'],
    ['2026-07-01T18Z', '2026-07-01T18:00:00Z'],
    ['2026-07-01t18:00:00z', '2026-07-01T18:00:00Z'],
    ['2026-07-01 18:00:00', '2026-07-01T18:00:00Z'],
    ['2026-07-01 18:00:00 +02:00', '2026-07-01T18:00:00+02:00'],
    ['2026-07-01T18:00:00', '2026-07-01T18:00:00Z'],
    ['2026-07-01T18:00:00,125+02', '2026-07-01T18:00:00.125+02:00'],
    ['2026-07-01T18:00:00.1234567890123Z', '2026-07-01T18:00:00.123456789Z'],
    ['20260701T180000Z', '2026-07-01T18:00:00Z'],
    ['20260701T1800-0730', '2026-07-01T18:00:00-07:30'],
    ['2026-12-31T24:00:00Z', '2027-01-01T00:00:00Z'],
    ['2026-02-28T24:00', '2026-03-01T00:00:00Z'],
    ['2026-07-01', '2026-07-01T00:00:00Z'],
    ['2026-07-01+02:00', '2026-07-01T00:00:00+02:00'],
    [' \t2026-07-01T18:00:00Z\n', '2026-07-01T18:00:00Z'],
  ])('%s is %s', (given, bent) => expect(bendDateTime(given, 'UTC')).toBe(bent))

  test.each([
    ['2026-07-01T18:00:00', '2026-07-01T18:00:00-07:00'],
    ['2026-01-01 18:00', '2026-01-01T18:00:00-08:00'],
    // Twice: the first of them.
    ['2026-11-01T01:30:00', '2026-11-01T01:30:00-07:00'],
    // Left out by the change of the clocks.
    ['2026-03-08T02:30:00', '2026-03-08T02:30:00-08:00'],
    ['2026-03-08T03:30:00', '2026-03-08T03:30:00-07:00'],
    ['2026-07-01T18:00:00Z', '2026-07-01T18:00:00Z'],
  ])('%s without a zone of its own is in that of the installation: %s', (given, bent) => {
    expect(bendDateTime(given, pacific)).toBe(bent)
  })

  test.each([
    '',
    'tomorrow',
    '2026-02-30T18:00:00Z',
    '2026-07-01T24:00:01Z',
    '2026-02-30T24:00:00Z',
    '2026-07-01T25:00:00Z',
    '2026-0701T18:00:00Z',
    '01.07.2026 18:00',
    '10-15-2022 05:00:00PM',
    '2026-07-01T18:00:00+15:00',
    '8812345',
  ])('%s is none', (given) => expect(bendDateTime(given, 'UTC')).toBeUndefined())

  test('that the contracts know already stays as it is, and a zone is found for any time of any zone', () => {
    const instant = fc.date({ min: new Date('1000-01-03'), max: new Date('9999-12-29'), noInvalidDate: true })
    const zone = fc.constantFrom(pacific, 'Asia/Kolkata', 'Australia/Lord_Howe', 'Europe/Berlin', 'UTC', 'Pacific/Apia')
    fc.assert(
      fc.property(instant, zone, (date, timezone) => {
        const text = date.toISOString()
        expect(bendDateTime(text, timezone)).toBe(text)
        const bent = bendDateTime(text.slice(0, 19), timezone) ?? ''
        expect(isDateTime(bent)).toBe(true)
        const hours = (Date.parse(toUtc(bent)) - Date.parse(`${text.slice(0, 19)}Z`)) / 3_600_000
        expect(Math.abs(hours)).toBeLessThanOrEqual(16)
      }),
    )
  })
})
