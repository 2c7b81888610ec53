import { describe, expect, it } from 'vitest'
import { billNameOf, isBillNamePattern } from '../src/bill-name-pattern.ts'

describe('the name of a bill', () => {
  it.each([
    ['{bill_id}.pdf', '123456789012', '123456789012.pdf'],
    ['{bill_id:0:3}/{bill_id}.pdf', '123456789012', '123/123456789012.pdf'],
    ['{bill_id:0:3}/{bill_id:3:3}/{bill_id}.pdf', '123456789012', '123/456/123456789012.pdf'],
    ['{bill_id:-2}/{bill_id}.pdf', '123456789012', '12/123456789012.pdf'],
    ['{bill_id:-4:2}/{bill_id}.pdf', '123456789012', '90/123456789012.pdf'],
    ['a/{bill_id:8}-{bill_id}', '123456789012', 'a/9012-123456789012'],
    // As much as there is, but not nothing.
    ['{bill_id:0:3}/{bill_id}.pdf', '12', '12/12.pdf'],
    ['{bill_id:-3}/{bill_id}.pdf', '12', '12/12.pdf'],
    ['{bill_id:3:3}/{bill_id}.pdf', '123', undefined],
    ['{bill_id}.pdf', '$&', '$&.pdf'],
  ])('%s of %s is %s', (pattern, id, name) => {
    expect(isBillNamePattern(pattern)).toBe(true)
    expect(billNameOf(pattern, id)).toBe(name)
  })

  it.each([
    'bill.pdf',
    '{bill_id:0:3}.pdf',
    '{bill_id:0:3}/{bill_id:3}.pdf',
    '{bill_id:}/{bill_id}',
    '{bill_id:a}/{bill_id}',
    '{bill_id:0:0}/{bill_id}',
    '{bill_id:0:3:1}/{bill_id}',
    '{year}/{bill_id}',
    '{bill_id',
    '{{bill_id}}',
  ])('%s says nothing that could be one', (pattern) => {
    expect(isBillNamePattern(pattern)).toBe(false)
  })
})
