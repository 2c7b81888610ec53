import { z } from 'zod'

const root = 'problemDetailDocument'

/** DACS' error body. Only `title` and `detail` are published, and that a message number can be read; see `readFarWords`. */
export const problemDetailDocument = z.object({
  [root]: z.object({
    problemType: z.string().optional(),
    title: z.string().optional(),
    detail: z.string().optional(),
    httpStatus: z.number().optional(),
    problemInstance: z.string().optional(),
    serverMessage: z
      .object({
        messageCategory: z.number().optional(),
        messageNumber: z.number().optional(),
        messageText: z.string().optional(),
        messageParameters: z.array(z.string()).optional(),
      })
      .optional(),
  }),
})
