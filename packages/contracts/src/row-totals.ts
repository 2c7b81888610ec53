import { z } from 'zod'

const count = z.int().nonnegative()

/** What became of the rows of a file: every row that was read is in exactly one of the other counts. */
export const rowTotals = z.object({
  read: count,
  confirmed: count,
  /** Left out because they break their contract, or in a call that the target refused. */
  refused: count,
  /** Perhaps at the target, perhaps not. */
  unknown: count,
  /** Certainly not at the target. */
  notSent: count,
})

export type RowTotals = z.infer<typeof rowTotals>
