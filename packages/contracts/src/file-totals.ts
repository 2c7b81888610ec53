import { z } from 'zod'

const count = z.int().nonnegative()

/** What became of the files of one run of a transfer. */
export const fileTotals = z.object({
  sent: count,
  /** They bear the error prefix now, or their names cannot be used. */
  failed: count,
  /** Not touched: a later run takes them. */
  left: count,
})

export type FileTotals = z.infer<typeof fileTotals>
