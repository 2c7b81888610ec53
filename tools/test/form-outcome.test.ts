import { describe, expect, it } from 'vitest'
import { type FormOutcome, hasFailed, hasPassed, noTests, tellOutcome } from '../src/form-outcome.ts'

const tests = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 1 }
const ran = { ran: true, server: 'Redis server 7.0.15', ok: true, tests } as const

describe('a form of Redis', () => {
  it('that did not run is told so with its reason, and is neither passed nor failed', () => {
    const outcome: FormOutcome = { ran: false, reason: 'No Valkey found.' }
    expect(tellOutcome('valkey', outcome, 10)).toBe('valkey     not run (No Valkey found.)')
    expect([hasPassed(outcome), hasFailed(outcome)]).toEqual([false, false])
  })

  it('whose tests passed is told with the server and the counts', () => {
    expect(tellOutcome('cluster', ran, 61_400)).toBe(
      'cluster    passed on Redis server 7.0.15: 7 passed, 0 failed, 1 skipped, 61 s',
    )
    expect([hasPassed(ran), hasFailed(ran)]).toEqual([true, false])
  })

  it.each<[string, FormOutcome]>([
    ['a test failed', { ...ran, ok: false, tests: { ...tests, numFailedTests: 1 } }],
    ['the run broke off', { ...ran, ok: false, tests: noTests }],
    ['an error came from outside of the tests', { ...ran, ok: false }],
    ['no test ran', { ...ran, tests: noTests }],
  ])('has failed when %s', (_why, outcome) => {
    expect(tellOutcome('sentinel', outcome, 1_000)).toMatch(/^sentinel {3}FAILED on /)
    expect([hasPassed(outcome), hasFailed(outcome)]).toEqual([false, true])
  })
})
