import { describe, expect, it } from 'vitest'
import { type ConnectionKinds, type RoutingKey, routeToDacs, routeToDerms } from '../src/routing.ts'
import { createSnapshot, defaultTables } from '../src/snapshot.ts'
import { routingRow } from './rows.ts'

const dacsA = { DACS_A: { kind: 'dacs' } }
const dacsB = { DACS_B: { kind: 'dacs' } }
const dermsA = { DERMS_A: { kind: 'derms' } }
const dermsB = { DERMS_B: { kind: 'derms' } }
const files = { FILES: { kind: 'sftp' } }
const all = { ...dacsA, ...dacsB, ...dermsA, ...dermsB, ...files }

const snapshot = createSnapshot(
  {
    ...defaultTables(),
    Routing: [
      routingRow('SITE1', 'DERMS_A', 'CA', 'DACS_A'),
      routingRow('SITE2', 'DERMS_B', 'NV', 'DACS_B'),
      routingRow('SITE3', '', '', 'DACS_B'),
      routingRow('', 'DERMS_A', 'OR', ''),
      routingRow('SITE4', 'GONE', 'TX', 'DERMS_A'),
    ],
  },
  1,
)

type Case = [by: RoutingKey, connections: ConnectionKinds, dacs: string | RegExp, derms: string | RegExp]

describe('a message finds its connection', () => {
  it.each<Case>([
    // the row decides
    [{ instance: 'SITE1' }, all, 'DACS_A', 'DERMS_A'],
    [{ instance: 'site2' }, all, 'DACS_B', 'DERMS_B'],
    [{ division: 'ca' }, all, 'DACS_A', 'DERMS_A'],
    [{ division: 'NV' }, all, 'DACS_B', 'DERMS_B'],
    // the instance goes before the division, and the division helps where the instance's row says nothing
    [{ instance: 'SITE2', division: 'CA' }, all, 'DACS_B', 'DERMS_B'],
    [{ instance: 'UNKNOWN', division: 'CA' }, all, 'DACS_A', 'DERMS_A'],
    [{ instance: 'SITE3', division: 'OR' }, all, 'DACS_B', 'DERMS_A'],
    // no row, or a row that says nothing: the only connection of the kind, whatever else there is
    [{ instance: 'UNKNOWN' }, { ...dacsA, ...dermsA, ...files }, 'DACS_A', 'DERMS_A'],
    [{ instance: 'SITE3' }, { ...dacsB, ...dermsB }, 'DACS_B', 'DERMS_B'],
    [{ division: 'OR' }, { ...dacsA, ...dermsA }, 'DACS_A', 'DERMS_A'],
    [{}, { ...dacsA, ...dermsB }, 'DACS_A', 'DERMS_B'],
    [{ instance: '', division: undefined }, { ...dacsA, ...dermsB }, 'DACS_A', 'DERMS_B'],
    // no row and no single connection
    [{ instance: 'UNKNOWN' }, all, /"UNKNOWN", and there are 2 dacs/, /"UNKNOWN", and there are 2 derms/],
    [{ division: 'UNKNOWN' }, files, /"UNKNOWN", and there are 0 dacs/, /"UNKNOWN", and there are 0 derms/],
    [{}, all, /without instance and division, and there are 2 dacs/, /without instance and division/],
    // a row that names something else is a mistake to be shown, not to be guessed around
    [{ instance: 'SITE4' }, { ...dacsA, ...dermsA }, /names DERMS_A .* no dacs/, /names GONE .* no derms/],
    [{ division: 'CA' }, { ...dacsB, ...dermsB }, /names DACS_A .* no dacs/, /names DERMS_A .* no derms/],
  ])('%j with %j: %s, %s', (by, connections, dacs, derms) => {
    for (const [route, expected] of [
      [routeToDacs, dacs],
      [routeToDerms, derms],
    ] as const) {
      const find = () => route(snapshot, connections, by)
      if (typeof expected === 'string') expect(find()).toBe(expected)
      else {
        expect(find).toThrow(expect.objectContaining({ code: 'routing-missing', retry: { kind: 'never' } }))
        expect(find).toThrow(expected)
      }
    }
  })
})
