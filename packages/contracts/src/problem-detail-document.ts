import { z } from 'zod'
import { textOf, unwrapped, valueAt } from './json-object.ts'

const root = 'problemDetailDocument'

/** DACS' error body. Only `title` and `detail` are published, and that a message number can be read. */
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

export interface ProblemDetail {
  title?: string
  detail?: string
  messageNumber?: number
  /** The best text for people. */
  text: string
}

/**
 * Reads DACS' error body with or without its root, the server message inside it or beside it. Undefined when the body holds
 * none of the known properties, so that nothing foreign is taken for DACS' words.
 */
export function readProblemDetail(body: unknown): ProblemDetail | undefined {
  const document = unwrapped(body, root)
  const server = valueAt(document, 'serverMessage') ?? document
  const title = plainText(valueAt(document, 'title'))
  const detail = plainText(valueAt(document, 'detail'))
  const messageText = plainText(valueAt(server, 'messageText'))
  const messageNumber = readNumber(valueAt(server, 'messageNumber'))
  const texts = [...new Set([title, detail].filter((text) => text !== undefined))]
  const text = texts.length > 0 ? texts.join(': ') : messageText
  if (text === undefined && messageNumber === undefined) return undefined
  return {
    ...(title !== undefined && { title }),
    ...(detail !== undefined && { detail }),
    ...(messageNumber !== undefined && { messageNumber }),
    text: text ?? `Message ${messageNumber}`,
  }
}

/** The framework wraps long texts in CDATA sections, also inside JSON. */
const plainText = (value: unknown): string | undefined =>
  textOf(textOf(value)?.replaceAll('<![CDATA[', '').replaceAll(']]>', '').trim())

function readNumber(value: unknown): number | undefined {
  const text = textOf(value)?.trim()
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined
}
