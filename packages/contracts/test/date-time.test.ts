import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ackTime, isDateTime, isUtcDateTime, toUtc } from '../src/date-time.ts'

describe('a date-time', () => {
  test.each([
    '2024-09-01T18:00:00Z',
    '2024-09-01T18:00:00.000Z',
    '2024-09-01T00:00:00-07:00',
    '2024-02-29T23:59:59+14:00',
    '9999-12-31T23:59:59Z',
  ])('takes %s', (text) => expect(isDateTime(text)).toBe(true))

  test.each([
    '',
    '2024-09-01',
    '2024-09-01T18:00Z',
    '2024-09-01T18:00:00',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-10T00:00:00Z',
    '2024-09-01T24:00:00Z',
    '2024-09-01T18:60:00Z',
    '2024-09-01T18:00:00+14:01',
    '2024-09-01T18:00:00.Z',
    '2024-09-01 18:00:00Z',
    '10-15-2022 05:00:00PM',
    ' 2024-09-01T18:00:00Z',
    '0999-01-01T00:00:00Z',
    '1000-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-07:00',
  ])('refuses %s', (text) => expect(isDateTime(text)).toBe(false))

  test('in UTC is the same instant and keeps its fraction of a second', () => {
    expect(toUtc('2024-09-01T00:00:00-07:00')).toBe('2024-09-01T07:00:00Z')
    expect(toUtc('2024-09-01T00:30:00.1250+05:30')).toBe('2024-08-31T19:00:00.1250Z')
    expect(toUtc('2024-09-01T00:00:00.5Z')).toBe('2024-09-01T00:00:00.5Z')
  })

  test('that is accepted can always be converted', () => {
    const parts = fc.tuple(
      fc.date({ min: new Date('1000-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
      fc.constantFrom('', '.5', '.000', '.123456789'),
      fc.constantFrom('Z', '+00:00', '-00:30', '+14:00', '-13:59'),
    )
    fc.assert(
      fc.property(parts, ([date, fraction, zone]) => {
        const text = date.toISOString().slice(0, 19) + fraction + zone
        expect(isDateTime(text)).toBe(true)
        expect(isUtcDateTime(toUtc(text))).toBe(true)
        expect(Date.parse(toUtc(text))).toBe(Date.parse(text))
      }),
    )
  })

  test('of an acknowledgment is UTC with zero milliseconds', () => {
    expect(ackTime(Date.UTC(2024, 8, 1, 18, 0, 5, 987))).toBe('2024-09-01T18:00:05.000Z')
  })
})
