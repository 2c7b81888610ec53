import { z } from 'zod'
import { rowTotals } from './row-totals.ts'

/**
 * An e-mail that is due (F10). It is the payload of a `notification` message and holds nothing personal:
 * ids, codes and counts only, never a value of a message nor a text of the far side.
 */
export const notice = z.object({
  kind: z.enum(['error', 'process-complete', 'no-file']),
  flow: z.string(),
  messageKey: z.string(),
  /** A code of `failures.ts`, or `completed`. */
  code: z.string(),
  /** One sentence for people: what failed. */
  summary: z.string(),
  connection: z.string().optional(),
  httpStatus: z.number().int().optional(),
  attempts: z.number().int().nonnegative(),
  occurredAt: z.iso.datetime(),
  /** What happens next, and who retries. */
  next: z.string(),
  /** What became of the rows of a file. */
  rows: rowTotals.optional(),
})

export type Notice = z.infer<typeof notice>
