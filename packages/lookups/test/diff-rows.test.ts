import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffRows } from '../src/diff-rows.ts'
import { property, routingRow } from './rows.ts'

describe('the difference between two versions', () => {
  it('pairs rows of one key, in any case, and tells what is gone and new', () => {
    const before = [property('PENDING', 'SUCCESS'), property('ERROR', 'ERROR'), property('X', 'ERROR')]
    const after = [property('New', 'ERROR'), property('pending', 'ERROR'), property('ERROR', 'ERROR')]
    expect(diffRows('EnrollmentStatus', before, after)).toEqual([
      { before: property('PENDING', 'SUCCESS'), after: property('pending', 'ERROR') },
      { before: property('X', 'ERROR') },
      { after: property('New', 'ERROR') },
    ])
  })

  it('pairs nothing where several rows have the key, and reads the keys of both sides as one', () => {
    const row = (division: string, dacs: string) => routingRow('SITE1', 'DERMS', division, dacs)
    expect(diffRows('Routing', [row('CA', 'A'), row('NV', 'A')], [row('CA', 'B'), row('NV', 'A')])).toEqual([
      { before: row('CA', 'A'), after: row('CA', 'B') },
    ])
    const twice = [row('CA', 'A'), { ...row('CA', 'A'), Description: 'again' }]
    expect(diffRows('Routing', twice, [row('CA', 'B')])).toEqual([
      { before: twice[0] },
      { before: twice[1] },
      { after: row('CA', 'B') },
    ])
  })

  it('is nothing for the same rows in another order, and undoes itself', () => {
    const rows = fc.array(
      fc
        .record({ key: fc.constantFrom('A', 'a', 'B'), value: fc.constantFrom('1', '2') })
        .map(({ key, value }) => property(key, value)),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(rows, rows, (one, other) => {
        const sorted = (list: readonly object[]) => list.map((row) => JSON.stringify(row)).sort()
        expect(diffRows('EnrollmentStatus', one, one.toReversed())).toEqual([])
        const left = sorted(one)
        const changes = diffRows('EnrollmentStatus', one, other)
        for (const { before } of changes) if (before) left.splice(left.indexOf(JSON.stringify(before)), 1)
        const added = changes.flatMap(({ after }) => (after ? [after] : []))
        expect([...left, ...sorted(added)].sort()).toEqual(sorted(other))
      }),
    )
  })
})
