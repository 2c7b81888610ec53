import { isJsonObject, textOf } from './json-object.ts'
import { plainOf } from './markup.ts'
import { readMsgAck } from './msg-ack.ts'

/** What a far side says about a call that it did not carry out. It may hold personal data. */
export interface FarWords {
  readonly text: string
  /** `messageNumber` of DACS' error document. */
  readonly messageNumber?: number
}

/** So long is the longest text of an error in DACS; longer ones are cut. */
export const farWordsLengthMax = 254

/**
 * Reads the words of a far side from whatever shape it, or something before it, answers in: DACS' problemDetailDocument (one or
 * a list, with or without its root), RFC 9457, `{ status, error, message, path }`, an acknowledgment, OAuth 2, lists of errors,
 * plain text, or a page. Names count in capital and small letters. Undefined when there are none, so that nothing foreign is
 * taken for words.
 * @param answer the parsed JSON; the text of an answer that is no JSON
 */
export function readFarWords(answer: unknown): FarWords | undefined {
  const text = cut([...new Set(textsOf(answer, depthMax))].join('; '))
  const numbers = new Set(numbersOf(answer, depthMax))
  // Of several numbers none speaks for the whole answer.
  const [messageNumber] = numbers.size === 1 ? numbers : []
  if (text === '' && messageNumber === undefined) return undefined
  return {
    text: text === '' ? `Message ${messageNumber}` : text,
    ...(messageNumber !== undefined && { messageNumber }),
  }
}

const depthMax = 6
const listMax = 20

/** Properties that hold words one level deeper, the surest first. */
const wrappers = [
  'problemdetaildocument',
  'problem',
  'fault',
  'error',
  'errors',
  'messages',
  'msgack',
  'responses',
  'response',
]

/** Properties that hold a sentence, the surest first. `error` often is no more than the name of the status. */
const sentences = [
  'messagetext',
  'error_description',
  'message',
  'errormessage',
  'defaultmessage',
  'faultstring',
  'description',
  'reason',
  'error',
]

function textsOf(value: unknown, depth: number): string[] {
  if (depth === 0) return []
  if (Array.isArray(value)) return value.slice(0, listMax).flatMap((item: unknown) => textsOf(item, depth - 1))
  if (!isJsonObject(value)) return worded(value)
  const told = acknowledged(value)
  if (told.length > 0) return told
  const property = propertiesOf(value)
  const problem = [...new Set([...worded(property('title')), ...worded(property('detail'))])]
  if (problem.length > 0) return [problem.join(': ')]
  const own = firstSentence(propertiesOf(property('servermessage'))) ?? firstSentence(property) ?? []
  const inner = wrappers.map((name) => (typeof property(name) === 'object' ? textsOf(property(name), depth - 1) : []))
  return [...own, ...(inner.find((texts) => texts.length > 0) ?? [])]
}

const firstSentence = (property: (name: string) => unknown): string[] | undefined =>
  sentences.map((name) => worded(property(name))).find((texts) => texts.length > 0)

/** What DERMS says: of the records that went well it says nothing that is wrong. */
function acknowledged(value: unknown): string[] {
  const responses = readMsgAck(value)?.responses ?? []
  const bad = responses.filter(({ responseCode }) => responseCode.toUpperCase() !== 'SUCCESS')
  return bad.slice(0, listMax).flatMap((response) => worded(response.value))
}

function numbersOf(value: unknown, depth: number): number[] {
  if (depth === 0) return []
  if (Array.isArray(value)) return value.slice(0, listMax).flatMap((item: unknown) => numbersOf(item, depth - 1))
  if (!isJsonObject(value)) return []
  const property = propertiesOf(value)
  const own = textOf(property('messagenumber'))?.trim()
  if (own !== undefined && /^-?\d{1,9}$/.test(own)) return [Number(own)]
  return ['servermessage', ...wrappers].flatMap((name) => numbersOf(property(name), depth - 1))
}

/** Looks a property up whatever its capital letters; the argument is in small ones. */
function propertiesOf(value: unknown): (name: string) => unknown {
  const named = new Map(
    isJsonObject(value) ? Object.entries(value).map(([name, inner]) => [name.toLowerCase(), inner]) : [],
  )
  return (name) => named.get(name)
}

const worded = (value: unknown): string[] => {
  // `error: true` says nothing.
  const text = typeof value === 'boolean' ? '' : plainOf(textOf(value) ?? '')
  return text === '' ? [] : [text]
}

/** A cut must not leave half a character behind. */
const cut = (text: string): string => text.slice(0, farWordsLengthMax).toWellFormed().trim()
