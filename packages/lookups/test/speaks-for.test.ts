import { describe, expect, it } from 'vitest'
import { createSnapshot, defaultTables } from '../src/snapshot.ts'
import { speaksForDivision } from '../src/speaks-for.ts'
import { routingRow } from './rows.ts'

const connections = {
  DACS: { kind: 'dacs' },
  DERMS_N: { kind: 'derms' },
  DERMS_S: { kind: 'derms' },
  DERMS_W: { kind: 'derms' },
}
const lookups = createSnapshot(
  {
    ...defaultTables(),
    Routing: [
      routingRow('NORTH-7', 'DERMS_N', 'N', 'DACS'),
      routingRow('SOUTH-1', 'DERMS_S', 'S', 'DACS'),
      routingRow('SOUTH-2', 'DERMS_S', 'S2', 'DACS'),
      routingRow('', 'DERMS_N', 'N2', 'DACS'),
      routingRow('', 'DERMS_S', 'S3', 'DACS'),
      routingRow('', 'DERMS_W', 'W', 'DACS'),
    ],
  },
  1,
)
const nobody = createSnapshot({ ...defaultTables(), Routing: [] }, 1)

describe('a client may have to do with a message of DACS', () => {
  it.each<[division: string | undefined, owners: string]>([
    ['N', 'NORTH-7'],
    ['n', 'NORTH-7'],
    ['S', 'SOUTH-1'],
    ['S2', 'SOUTH-2'],
    // the row names no instance: all that the same DERMS has
    ['N2', 'NORTH-7'],
    ['S3', 'SOUTH-1 SOUTH-2'],
    // nothing tells: all that anybody knows
    ['W', 'NORTH-7 SOUTH-1 SOUTH-2'],
    ['X', 'NORTH-7 SOUTH-1 SOUTH-2'],
    ['', 'NORTH-7 SOUTH-1 SOUTH-2'],
    [undefined, 'NORTH-7 SOUTH-1 SOUTH-2'],
  ])('of division %s when it speaks for %s', (division, owners) => {
    for (const instances of [
      ['NORTH-7'],
      ['SOUTH-1'],
      ['south-1', 'SOUTH-2'],
      ['NORTH-7', 'SOUTH-1', 'SOUTH-2'],
      ['E'],
    ]) {
      const own = instances.map((instance) => instance.toUpperCase())
      const expected = owners.split(' ').every((owner) => own.includes(owner))
      expect([instances, speaksForDivision({ instances }, division, { lookups, connections, clients: [] })]).toEqual([
        instances,
        expected,
      ])
    }
    expect(speaksForDivision({}, division, { lookups, connections, clients: [] })).toBe(true)
  })

  it('whatever its division, where nobody knows another instance', () => {
    const client = { instances: ['SITE1', 'SITE2'] }
    for (const division of ['CA', undefined]) {
      const among = (clients: readonly object[]) =>
        speaksForDivision(client, division, { lookups: nobody, connections, clients: [client, ...clients] })
      expect(among([])).toBe(true)
      expect(among([{}, { instances: ['SITE2'] }])).toBe(true)
      expect(among([{ instances: ['SITE3'] }])).toBe(false)
    }
  })
})
