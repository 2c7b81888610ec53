import { TielineError } from '@tieline/runtime/error'
import { describe, expect, it } from 'vitest'
import { createSnapshot, defaultTables, type LookupTables } from '../src/snapshot.ts'
import { property, routingRow } from './rows.ts'

const snapshotOf = (tables: Partial<LookupTables>) => createSnapshot({ ...defaultTables(), ...tables }, 7)

describe('a snapshot', () => {
  it('knows its version', () => {
    expect(snapshotOf({}).version).toBe(7)
  })

  it('compares keys without case', () => {
    expect(snapshotOf({}).find('StageStatus', 'scheduled')).toBe('X1SD')
    expect(snapshotOf({}).require('EventType', 'Economic')).toBe('X1EC')
  })

  it('finds nothing where there is no row, also under names that every object has', () => {
    for (const key of ['', 'UNKNOWN', 'constructor', '__proto__', ' SCHEDULED']) {
      expect(snapshotOf({}).find('StageStatus', key)).toBeUndefined()
    }
  })

  it('names lookup and key of a row that is required and missing, and allows no retry', () => {
    const miss = thrownBy(() => snapshotOf({}).require('StageStatus', 'PLANNED'))
    expect(miss).toMatchObject({ code: 'lookup-missing', retry: { kind: 'never' } })
    expect(miss.message).toBe('StageStatus has no row for "PLANNED"')
  })

  it('cuts and escapes what a sender puts where a code belongs', () => {
    const miss = thrownBy(() => snapshotOf({}).require('AssetSpec', `line\nbreak${'x'.repeat(500)}`))
    expect(miss.message).not.toContain('\n')
    expect(miss.message.length).toBeLessThan(150)
  })

  it('lays rows of ConfigProps over the defaults one by one', () => {
    const { configProps, find } = snapshotOf({
      ConfigProps: [
        property('notification.email.error.flag', 'FALSE'),
        property('ENROLLMENTSYNCACKDELAY', '0'),
        property('dacs.os.namespace', 'space'),
        property('dacs.prefixtag.fileuploaded', 'Done-'),
      ],
    })
    expect(configProps).toEqual({
      ...snapshotOf({}).configProps,
      'notification.email.error.flag': false,
      enrollmentSyncAckDelay: 0,
      'dacs.os.namespace': 'space',
      'dacs.prefixtag.fileuploaded': 'Done-',
    })
    expect(find('ConfigProps', 'dacs.prefixtag.filenotuploaded')).toBe('Error-')
  })

  it('splits recipients on commas and trims them', () => {
    const { mail } = snapshotOf({
      Email_ID: [
        property('From', 'tieline@one.example'),
        property('TO', ' a@one.example ,b@two.example,, '),
        property('to.process.notification', 'c@one.example'),
      ],
    })
    expect(mail).toEqual({
      from: 'tieline@one.example',
      to: ['a@one.example', 'b@two.example'],
      toProcessNotification: ['c@one.example'],
    })
  })

  it('takes an empty property of Email_ID for nobody', () => {
    const { mail } = snapshotOf({ Email_ID: [property('From', ''), property('To', '')] })
    expect(mail).toEqual({ to: [], toProcessNotification: [] })
  })

  it('shows Routing as rows of what belongs together', () => {
    const { routing } = snapshotOf({ Routing: [routingRow('SITE1', 'DERMS_A', '', 'DACS_A')] })
    expect(routing).toEqual([{ instance: 'SITE1', dermsConnection: 'DERMS_A', division: '', dacsConnection: 'DACS_A' }])
  })
})

function thrownBy(act: () => unknown): TielineError {
  try {
    act()
  } catch (error) {
    if (error instanceof TielineError) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}
