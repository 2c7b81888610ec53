import type { LookupName } from '@tieline/contracts/flows'
import { describe, expect, it } from 'vitest'
import { checkRows } from '../src/check-rows.ts'
import type { LookupRow } from '../src/lookups.ts'
import { LookupRefused } from '../src/refusal.ts'
import { createSnapshot, defaultTables } from '../src/snapshot.ts'
import { property, routingRow } from './rows.ts'

describe('rows that break no rule', () => {
  it('are stored trimmed, without empty descriptions, in the spelling of the guide', () => {
    const rows = [
      { PropertyName: ' TO.ProcessNotification ', Value: ' a@one.example , b@two.example ', Description: ' ' },
      { PropertyName: 'to', Value: 'ops@mailhost', Description: ' who is\r\non duty ' },
    ]
    expect(checkRows('Email_ID', rows, undefined)).toEqual([
      { PropertyName: 'to.process.notification', Value: 'a@one.example , b@two.example' },
      { PropertyName: 'To', Value: 'ops@mailhost', Description: 'who is\non duty' },
    ])
  })

  it('may say the same thing twice', () => {
    const row = { DRMS_StageStatus: 'SCHEDULED', DACS_StageStatus: 'X1SD' }
    expect(checkRows('StageStatus', [row, { ...row, DRMS_StageStatus: 'scheduled' }], undefined)).toHaveLength(2)
  })

  it('may have codes of their own; a published code gets its own letters', () => {
    for (const [lookup, key, value, stored] of [
      ['StageStatus', 'ARCHIVED', 'CMAR', 'CMAR'],
      ['EventType', 'TRIAL', 'cmtr', 'cmtr'],
      ['StageStatus', 'SCHEDULED', 'x1sd', 'X1SD'],
      ['EventType', 'x1ec', 'x1Ec', 'X1EC'],
    ] as const) {
      const row = (code: string) => ({ [`DRMS_${lookup}`]: key, [`DACS_${lookup}`]: code })
      expect(checkRows(lookup, [row(value)], undefined)).toEqual([row(stored)])
    }
  })

  it('may give people names, and separate them as mail programs do', () => {
    const To = 'On Call <oncall@utility.example>; "Reyes, Ana" <ana@utility.example>, third@utility.example;'
    const rows = [property('To', To), property('From', 'Tieline <tieline@utility.example>')]
    expect(checkRows('Email_ID', rows, undefined)).toEqual(rows)
    expect(createSnapshot({ ...defaultTables(), Email_ID: rows }, 1).mail).toEqual({
      from: '"Tieline" <tieline@utility.example>',
      to: ['"On Call" <oncall@utility.example>', '"Reyes, Ana" <ana@utility.example>', 'third@utility.example'],
      toProcessNotification: [],
    })
  })

  it('may say email in either way', () => {
    for (const value of ['email', 'true', 'TRUE']) {
      const rows = checkRows('ConfigProps', [property('notification.type.email', value)], undefined)
      expect(createSnapshot({ ...defaultTables(), ConfigProps: rows }, 1).configProps).toMatchObject({
        'notification.type.email': 'email',
      })
    }
  })

  it('may be none', () => {
    expect(checkRows('AssetSpec', [], new Set())).toEqual([])
  })
})

describe('the prefix of files that were transferred', () => {
  const rule = (name: string) => `${name} must not begin like dacs.dvcScore.extract.filename.prefix`

  it.each(['dacs.prefixtag.fileuploaded', 'dacs.prefixtag.filenotuploaded'])(
    'must not begin like that of files to transfer, or they would be found again: %s',
    (name) => {
      expect(refusalOf('ConfigProps', [property(name, 'DeviceScore-')]).faults).toEqual([
        { row: 1, column: 'Value', rule: rule(name) },
      ])
    },
  )

  it('is compared with the file prefix of the same table', () => {
    const rows = [property('dacs.dvcScore.extract.filename.prefix', 'S')]
    expect(refusalOf('ConfigProps', rows).faults).toEqual([
      { row: 1, column: 'Value', rule: rule('dacs.prefixtag.fileuploaded') },
    ])
    expect(
      checkRows('ConfigProps', [...rows, property('dacs.prefixtag.fileuploaded', 'Done-')], undefined),
    ).toHaveLength(2)
  })
})

describe('a property with a wrong value', () => {
  it.each([
    ['notification.type.email', 'pager', 'must be email or true'],
    ['notification.type.email', 'false', 'must be email or true'],
    ['notification.email.error.flag', 'yes', 'must be true or false'],
    ['notification.email.process.complete.flag', '1', 'must be true or false'],
    ['notification.email.process.nofile.flag', '', 'must be true or false'],
    ['enrollmentSyncAckDelay', '-1', 'must be a whole number from 0 to 86400'],
    ['enrollmentSyncAckDelay', '1.5', 'must be a whole number from 0 to 86400'],
    ['enrollmentSyncAckDelay', '86401', 'must be a whole number from 0 to 86400'],
    ['enrollmentSyncAckDelay', '', 'must be a whole number from 0 to 86400'],
    ['dacs.enrollmentSource.default', 'X1XX', 'must be X1BY, X1CC or X1SS'],
    ['dacs.prefixtag.fileuploaded', '', 'must be part of a file name'],
    ['dacs.prefixtag.filenotuploaded', '../', 'must be part of a file name'],
    ['dacs.dvcScore.extract.filename.prefix', 'a\\b', 'must be part of a file name'],
    ['dacs.error.ack.messagecategory', '100000', 'must be a whole number from -99999 to 99999'],
    ['dacs.error.ack.messagenumber', 'x', 'must be a whole number from -99999 to 99999'],
  ])('is refused naming property and rule: %s = "%s"', (name, value, rule) => {
    const refusal = refusalOf('ConfigProps', [property('enrollmentSyncAckDelay', '7'), property(name, value)])
    expect(refusal.faults).toContainEqual({ row: 2, column: 'Value', rule: expect.stringContaining(`${name} ${rule}`) })
  })

  it.each([
    ['From', 'nobody'],
    ['From', 'a@one.example, b@two.example'],
    ['To', 'a@one.example b@two.example'],
    ['To', 'marked-value <a@one.example'],
    ['To', 'marked-value <>, b@two.example'],
    ['To', 'marked-value, On Call <a@one.example>'],
    ['From', 'Tieline <a@one.example>; b@two.example'],
    ['to.process.notification', 'a@one.example, marked-value'],
  ])('is refused without showing the address: %s, %s', (name, value) => {
    const refusal = refusalOf('Email_ID', [property(name, value)])
    expect(refusal.message).toContain(`row 1, column Value: ${name} must be`)
    for (const text of ['one.example', 'two.example', 'marked-value', 'nobody']) {
      expect(refusal.message).not.toContain(text)
    }
  })

  it('is accepted in the case that spreadsheets write', () => {
    const rows = [property('notification.email.error.flag', 'FALSE')]
    expect(checkRows('ConfigProps', rows, undefined)).toEqual(rows)
  })
})

describe('rows that break a rule', () => {
  it('are refused with every fault in one go', () => {
    const rows = [
      { DRMS_MAKE_MODEL: 'NEST!N3GEN', DACS_SPECIFICATION: '' },
      { DRMS_MAKE_MODEL: '  ', DACS_SPECIFICATION: 'SPEC' },
      { DRMS_MAKE_MODEL: 'A\u0000B', DACS_SPECIFICATION: 'SPEC' },
      { DRMS_MAKE_MODEL: 'A!B', DACS_SPECIFICATION: 'SPEC', Note: 'x' },
      { DRMS_MAKE_MODEL: 'C!D' },
    ]
    expect(refusalOf('AssetSpec', rows).faults).toEqual([
      { row: 1, column: 'DACS_SPECIFICATION', rule: 'must not be empty' },
      { row: 2, column: 'DRMS_MAKE_MODEL', rule: 'must not be empty' },
      { row: 3, column: 'DRMS_MAKE_MODEL', rule: 'must not hold control characters' },
      { row: 4, column: 'Note', rule: 'no such column' },
      { row: 5, column: 'DACS_SPECIFICATION', rule: 'missing' },
      { row: 5, column: 'DACS_SPECIFICATION', rule: 'must not be empty' },
    ])
  })

  it('never reach a lookup of properties under a name that it does not have', () => {
    for (const lookup of ['ConfigProps', 'Email_ID'] as const) {
      for (const name of ['Recipients', '', '__proto__']) {
        const fault = { row: 1, column: 'PropertyName', rule: 'no such property' }
        expect(refusalOf(lookup, [property(name, 'true')]).faults).toContainEqual(fault)
      }
    }
  })

  it('never give one key two values', () => {
    const rows = [
      { DRMS_EventType: 'ECONOMIC', DACS_EventType: 'X1EC' },
      { DRMS_EventType: 'Economic', DACS_EventType: 'X1EM' },
    ]
    expect(refusalOf('EventType', rows).faults).toEqual([
      { row: 2, column: 'DRMS_EventType', rule: 'has another DACS_EventType in row 1' },
    ])
  })

  it('never make an enrollment answer something else than the words of an acknowledgment', () => {
    expect(refusalOf('EnrollmentStatus', [property('PENDING', 'MAYBE')]).faults).toEqual([
      { row: 1, column: 'Value', rule: 'must be SUCCESS, ERROR or FAILURE' },
    ])
  })
})

describe('a Routing row', () => {
  const connections = new Set(['DERMS_A', 'DERMS_B', 'DACS_A', 'DACS_B'])

  it('may repeat what another one says, and may leave cells empty', () => {
    const rows = [
      routingRow('SITE1', 'DERMS_A', 'CA', 'DACS_A'),
      routingRow('site1', 'DERMS_A', 'NV', 'DACS_A'),
      routingRow('SITE2', 'DERMS_B', '', 'DACS_A'),
      routingRow('', 'DERMS_B', 'OR', ''),
    ]
    expect(checkRows('Routing', rows, connections)).toEqual(rows)
  })

  it('never names a connection that is not configured', () => {
    const rows = [routingRow('SITE1', 'DERMS_A', 'CA', 'DACS_A'), routingRow('SITE2', 'DERMS_X', 'NV', 'DACS_X')]
    expect(refusalOf('Routing', rows, connections).faults).toEqual([
      { row: 2, column: 'DRMS_Site_Connection', rule: 'no such connection' },
      { row: 2, column: 'DACS_Connection', rule: 'no such connection' },
    ])
    expect(checkRows('Routing', rows, undefined)).toEqual(rows)
  })

  it.each<[string, LookupRow, string, string]>([
    ['an instance to two DACS', routingRow('site1', 'DERMS_A', 'NV', 'DACS_B'), 'DRMS_Instance', 'DACS_Connection'],
    [
      'an instance to two DERMS',
      routingRow('SITE1', 'DERMS_B', 'NV', 'DACS_A'),
      'DRMS_Instance',
      'DRMS_Site_Connection',
    ],
    [
      'a division to two DERMS',
      routingRow('SITE2', 'DERMS_B', 'ca', 'DACS_A'),
      'DACS_CIS_Division',
      'DRMS_Site_Connection',
    ],
    ['a division to two DACS', routingRow('SITE2', 'DERMS_A', 'CA', 'DACS_B'), 'DACS_CIS_Division', 'DACS_Connection'],
  ])('never maps %s', (_, row, column, other) => {
    const rows = [routingRow('SITE1', 'DERMS_A', 'CA', 'DACS_A'), row]
    expect(refusalOf('Routing', rows, connections).faults).toEqual([
      { row: 2, column, rule: `has another ${other} in row 1` },
    ])
  })

  it('is never empty', () => {
    expect(refusalOf('Routing', [routingRow('', '', '', '')]).faults).toEqual([
      { row: 1, column: 'DRMS_Instance', rule: 'must not be empty' },
    ])
  })
})

function refusalOf(lookup: LookupName, rows: readonly LookupRow[], connections?: ReadonlySet<string>): LookupRefused {
  try {
    checkRows(lookup, rows, connections)
  } catch (error) {
    if (error instanceof LookupRefused) return error
    throw error
  }
  throw new Error('The rows were accepted')
}
