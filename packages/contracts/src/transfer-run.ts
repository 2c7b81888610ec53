import { z } from 'zod'

/** One run of a score transfer (F8): the payload of a `device-score` message. */
export const transferRun = z.object({
  /** Name of the transfer in section `deviceScore` of the installation file. */
  transfer: z.string(),
  /** Only this file, without its error prefix: an operator wants it sent again. */
  file: z.string().optional(),
})
