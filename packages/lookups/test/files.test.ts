import type { LookupName } from '@tieline/contracts/flows'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkRows } from '../src/check-rows.ts'
import { namedInCsv, readCsv, writeCsv } from '../src/csv.ts'
import { lookupNames } from '../src/lookup-name.ts'
import { type LookupRow, lookups } from '../src/lookups.ts'
import { readOicLookup, writeOicLookup } from '../src/oic-json.ts'
import { LookupRefused } from '../src/refusal.ts'
import { property } from './rows.ts'

describe('what a lookup starts with', () => {
  it.each([...lookupNames])('is the same after an export and an import: %s', (lookup) => {
    const rows = lookups[lookup].defaults
    const stored = checkRows(lookup, rows, undefined)
    expect(checkRows(lookup, readCsv(lookup, writeCsv(lookup, rows)), undefined)).toEqual(stored)
    expect(checkRows(lookup, readOicLookup(writeOicLookup(lookup, rows)).rows, undefined)).toEqual(stored)
  })
})

describe('CSV', () => {
  it('gives back exactly the rows that were exported', () => {
    fc.assert(
      fc.property(anyTable(), ([lookup, rows]) => {
        expect(readCsv(lookup, writeCsv(lookup, rows))).toEqual(rows)
      }),
    )
  })

  it('quotes, and leaves formulas as they are', () => {
    const rows = [{ ...property('ERROR', 'ERROR'), Description: '=1+1, "quoted"\nsecond line' }]
    expect(writeCsv('EnrollmentStatus', rows)).toBe(
      'PropertyName,Value,Description\r\nERROR,ERROR,"=1+1, ""quoted""\nsecond line"\r\n',
    )
  })

  it.each([
    ['columns in any order and case', 'VALUE,propertyname\nSUCCESS,PENDING\n'],
    ['the headings of the guide', 'Property Name,Value,Description\nPENDING,SUCCESS,\n'],
    [
      'byte order mark, Windows line ends and empty lines',
      '\uFEFFPropertyName,Value\r\n\r\nPENDING,SUCCESS\r\n,\r\n\r\n',
    ],
    ['old Macintosh line ends, no last line end', 'PropertyName,Value\rPENDING,SUCCESS'],
  ])('is read with %s', (_, text) => {
    expect(readCsv('EnrollmentStatus', text)).toEqual([property('PENDING', 'SUCCESS')])
  })

  it.each([
    ['alone', 'OUTL-BRT-DACS_DRMS_EnrollmentStatus\n'],
    ['with empty cells', 'OUTL-BRT-DACS_DRMS_EnrollmentStatus,,\n'],
    ['with a description', '"EnrollmentStatus","What DACS says, and DERMS hears"\n\n'],
    ['behind a byte order mark', '\uFEFFOUTL-BRT-DACS_DRMS_EnrollmentStatus\r\n'],
    ['that is no longer that of the lookup', 'Status of enrollments\n'],
  ])('is read as Oracle Integration writes it, with a name above the header, %s', (_, name) => {
    const text = `${name}PropertyName,Value\nPENDING,SUCCESS\n`
    expect(readCsv('EnrollmentStatus', text)).toEqual([property('PENDING', 'SUCCESS')])
    expect(readCsv('EnrollmentStatus', `${name}PropertyName,Value\n`)).toEqual([])
  })

  it('says by its first line which lookup it is, and is not taken for another', () => {
    const text = 'OUTL-BRT-DACS_DRMS_EnrollmentStatus\nPropertyName,Value\nPENDING,SUCCESS\n'
    expect(namedInCsv(text)).toBe('EnrollmentStatus')
    expect(namedInCsv('PropertyName,Value\n')).toBeUndefined()
    expect(namedInCsv('')).toBeUndefined()
    expect(() => readCsv('ConfigProps', text)).toThrow('the line above the header says that it is EnrollmentStatus')
    expect(() => readCsv('EnrollmentStatus', 'EnrollmentStatus\n')).toThrow('the header is missing')
    expect(() => readCsv('EnrollmentStatus', 'EnrollmentStatus\nmarked,Value\n')).toThrow(
      "the header's column 1 is none",
    )
  })

  it("reads Email_ID under the column names of the guide's instructions", () => {
    expect(readCsv('Email_ID', 'Recipient,Email_Id\nTo,ops@one.example\n')).toEqual([property('To', 'ops@one.example')])
  })

  it('may hold a header only', () => {
    expect(readCsv('AssetSpec', writeCsv('AssetSpec', []))).toEqual([])
  })

  it.each([
    ['an empty file', '', 'the header is missing'],
    ['a missing column', 'DRMS_EventType\nX1EC\n', 'column DACS_EventType: missing in the header'],
    ['a column twice', 'DRMS_EventType,drms_eventtype,DACS_EventType\n', 'column DRMS_EventType: twice in the header'],
    ['an unknown column', 'DRMS_EventType,DACS_EventType,marked\n', "the header's column 3 is none of"],
    ['a short row', 'DRMS_EventType,DACS_EventType\nX1EC,X1EC\nmarked\n', 'row 2: has 1 cells under a header of 2'],
    ['a long row', 'DRMS_EventType,DACS_EventType\nX1EC,X1EC,marked\n', 'row 1: has 3 cells under a header of 2'],
    ['an open quote', 'DRMS_EventType,DACS_EventType\nX1EC,X1EC\n"marked,X1EM\n', 'row 2: quotes do not match'],
  ])('is refused naming the place, not the content: %s', (_, text, message) => {
    const read = () => readCsv('EventType', text)
    expect(read).toThrow(LookupRefused)
    expect(read).toThrow(message)
    expect(read).not.toThrow('marked')
  })
})

describe("Oracle Integration's JSON", () => {
  it('gives back exactly the rows that were exported', () => {
    fc.assert(
      fc.property(anyTable(), ([lookup, rows]) => {
        const text = JSON.stringify(writeOicLookup(lookup, rows))
        expect(readOicLookup(JSON.parse(text))).toEqual({ lookup, rows })
      }),
    )
  })

  it('has the name and the shape that Oracle Integration gives it', () => {
    expect(writeOicLookup('DeviceLocationStatus', lookups.DeviceLocationStatus.defaults)).toEqual({
      name: 'OUTL-BRT-DACS_DRMS_DeviceLocationStatus',
      columns: ['DACS_DEVICE_LOC_STATUS', 'DRMS_DEVICE_STATUS'],
      rows: [{ rowData: ['D1YS', 'Active'] }, { rowData: ['D1NO', 'Inactive'] }],
    })
  })

  it('is read with whatever else Oracle Integration says', () => {
    const body = {
      name: 'OUTL-BRT-OUAI_DACS_DRMS_EventType',
      id: 'x',
      status: 'CONFIGURED',
      columns: ['DACS_EventType', 'DRMS_EventType', 'Description'],
      rows: [{ rowData: ['X1EC', 'ECONOMIC', null], links: [] }],
      rowCount: 1,
    }
    expect(readOicLookup(body)).toEqual({
      lookup: 'EventType',
      rows: [{ DRMS_EventType: 'ECONOMIC', DACS_EventType: 'X1EC' }],
    })
  })

  it.each([
    ['no object', 'marked', 'body: invalid_type'],
    ['an unknown name', { name: 'marked', columns: [], rows: [] }, 'name: no such lookup'],
    ['no rows', { name: 'Routing', columns: [] }, 'rows: invalid_type'],
    ['a number for a cell', { name: 'Routing', columns: [], rows: [{ rowData: [1] }] }, 'rows.0.rowData.0'],
    [
      'a short row',
      { name: 'EventType', columns: ['DRMS_EventType', 'DACS_EventType'], rows: [{ rowData: ['marked'] }] },
      'row 1: has 1 cells under a header of 2',
    ],
  ])('is refused naming the place, not the content: %s', (_, body, message) => {
    const read = () => readOicLookup(body)
    expect(read).toThrow(LookupRefused)
    expect(read).toThrow(message)
    expect(read).not.toThrow('marked')
  })
})

/** A lookup that takes any keys and values, with rows as the store would hold them. */
function anyTable(): fc.Arbitrary<[LookupName, readonly LookupRow[]]> {
  const cell = fc
    .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('=1+1', '"', '""', ',', 'a,"b"', '\uFEFF', "'", ';', '0'))
    .map((text) => text.replace(/\p{Cc}/gu, '').trim())
  const description = fc.oneof(cell, fc.constantFrom('two\nlines', '\n"', '-1')).map((text) => text.trim())
  const free = lookupNames.filter((lookup) => lookups[lookup].properties === undefined && !lookups[lookup].value)
  return fc.constantFrom(...free).chain((lookup) => {
    const columns = Object.fromEntries(lookups[lookup].columns.map((column) => [column, cell]))
    const row = fc.record({ ...columns, Description: description }).map((cells): LookupRow => cells)
    const accepted = fc.array(row, { maxLength: 8 }).map((rows) => rows.filter((row) => isAccepted(lookup, row)))
    return accepted.map((rows): [LookupName, readonly LookupRow[]] => [
      lookup,
      rows.flatMap((row) => checkRows(lookup, [row], undefined)),
    ])
  })
}

function isAccepted(lookup: LookupName, row: LookupRow): boolean {
  try {
    return checkRows(lookup, [row], undefined).length === 1
  } catch {
    return false
  }
}
