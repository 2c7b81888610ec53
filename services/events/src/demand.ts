import { describeIssues } from '@tieline/contracts/problem'
import { never, TielineError } from '@tieline/runtime/error'
import type { z } from 'zod'

/**
 * The value as its contract gives it.
 * @throws TielineError `contract-violation` naming paths and rules, never values
 */
export function demand<Shape>(contract: z.ZodType<Shape>, value: unknown): Shape {
  const parsed = contract.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = describeIssues(parsed.error).map(({ path, rule }) => `${path || 'the message'} ${rule}`)
  throw new TielineError('contract-violation', never, `The message breaks its contract: ${faults.join(', ')}`)
}
