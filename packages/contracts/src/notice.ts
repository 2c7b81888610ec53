import { z } from 'zod'
import { fileTotals } from './file-totals.ts'
import { rowTotals } from './row-totals.ts'

/** So many names of files, and of the notices that a digest stands for, are told; the rest is counted. */
export const namedMax = 100

const fileLists = z.object({
  sent: z.array(z.string()),
  failed: z.array(z.string()),
  /** Not touched: a later run takes them. */
  left: z.array(z.string()),
  /** How many there are of each, named or not. */
  totals: fileTotals,
})

const digest = z.object({
  count: z.number().int().positive(),
  /** When the mail of its kind before it was due. */
  since: z.iso.datetime(),
  /** When the first of its kind occurred, which had a mail of its own. */
  first: z.iso.datetime(),
  named: z.array(
    z.object({
      messageKey: z.string().optional(),
      file: z.string().optional(),
      refusal: z.string().optional(),
      flow: z.string().optional(),
      summary: z.string(),
      details: z.string().optional(),
      next: z.string().optional(),
      occurredAt: z.iso.datetime(),
    }),
  ),
  /** How many there are of each flow, when they are of several. */
  flows: z.record(z.string(), z.number().int().positive()).optional(),
})

/**
 * An e-mail that is due (F10). It is the payload of a `notification` message and holds nothing personal but where the
 * installation wants `details`: ids, codes and counts only, never a value of a message nor a text of the far side.
 */
export const notice = z.object({
  kind: z.enum(['error', 'process-complete', 'no-file', 'recovered', 'expiring']),
  flow: z.string(),
  /** The message it is about; some are about a connection or about many messages. */
  messageKey: z.string().optional(),
  /** The client whose request was refused at the door, and the id under which that is kept. */
  client: z.string().optional(),
  refusal: z.string().optional(),
  /** A code of `failures.ts`, or `completed`. */
  code: z.string(),
  /** The code of what makes a message fail, when `code` only says that it does. */
  cause: z.string().optional(),
  /** One sentence for people: what failed. */
  summary: z.string(),
  /** What the far side said. It may hold personal data. */
  details: z.string().optional(),
  connection: z.string().optional(),
  httpStatus: z.number().int().optional(),
  attempts: z.number().int().nonnegative().optional(),
  occurredAt: z.iso.datetime(),
  /** Since when the message, or the connection, has been failing; absent for a first failure. */
  since: z.iso.datetime().optional(),
  /** What happens next, and who retries. */
  next: z.string(),
  /** The message is still being tried: when again, and when Tieline gives up. */
  trying: z.object({ again: z.iso.datetime(), until: z.iso.datetime() }).optional(),
  /** The command that runs the message again. */
  rerun: z.enum(['dead resubmit', 'messages rerun']).optional(),
  /** What became of the rows of a file. */
  rows: rowTotals.optional(),
  /** The file at its source that it is about. */
  file: z.string().optional(),
  /** What became of the files of a transfer. */
  files: fileLists.optional(),
  /** The program event, so that the mails about its files can be joined. */
  event: z.string().optional(),
  /** It stands for others of its kind that came after the first. */
  digest: digest.optional(),
})

export type Notice = z.infer<typeof notice>
export type FileLists = z.infer<typeof fileLists>
export type Digest = z.infer<typeof digest>
