import { describeIssues } from '@tieline/contracts/problem'
import { never, TielineError } from '@tieline/runtime/error'
import type { z } from 'zod'

/**
 * Parses what a message carries with the contract of its flow.
 * @throws TielineError `contract-violation` naming paths and rules, never a value
 */
export function parsePayload<Schema extends z.ZodType>(schema: Schema, payload: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  throw brokenContract(faultsOf(parsed.error))
}

export const brokenContract = (faults: string): TielineError =>
  new TielineError('contract-violation', never, `The message breaks its contract: ${faults}`)

/** Paths and rules in one line. `place` says where the parsed value stands in the message. */
export const faultsOf = (error: z.ZodError, ...place: readonly string[]): string =>
  describeIssues(error)
    .map(({ path, rule }) => [[...place, path].filter((part) => part !== '').join('.'), rule])
    .map(([path, rule]) => (path === '' ? rule : `${path}: ${rule}`))
    .join('; ')
