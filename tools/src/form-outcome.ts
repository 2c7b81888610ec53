import type { RedisForm } from '@tieline/testkit/redis-forms/redis-form'

/** What became of the suites on one form of Redis. */
export type FormOutcome =
  | { readonly ran: false; readonly reason: string }
  | { readonly ran: true; readonly server: string; readonly ok: boolean; readonly tests: TestCounts }

/** As the JSON report of Vitest has them. */
export interface TestCounts {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
}

export const noTests: TestCounts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }

/** Only a form whose tests ran, some at least, and did not fail has passed. */
export const hasPassed = (outcome: FormOutcome): boolean =>
  outcome.ran && outcome.ok && outcome.tests.numPassedTests > 0 && outcome.tests.numFailedTests === 0

/** A failure is one of something that ran: who has no Valkey has not failed with it. */
export const hasFailed = (outcome: FormOutcome): boolean => outcome.ran && !hasPassed(outcome)

/** One line for people. */
export function tellOutcome(form: RedisForm, outcome: FormOutcome, durationMs: number): string {
  const name = form.padEnd(10)
  if (!outcome.ran) return `${name} not run (${outcome.reason})`
  const { numPassedTests, numFailedTests, numPendingTests } = outcome.tests
  const counts = `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`
  const word = hasPassed(outcome) ? 'passed' : 'FAILED'
  return `${name} ${word} on ${outcome.server}: ${counts}, ${Math.round(durationMs / 1_000)} s`
}
