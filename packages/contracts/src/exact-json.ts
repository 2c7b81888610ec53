/**
 * A number by its digits: `JSON.stringify` writes them as they came. Made by `parseExactJson` where a double would print
 * other ones, such as `12345678901234567890`, `1e400` or `1.10`.
 */
export interface RawNumber {
  readonly rawJSON: string
}

declare global {
  // What Node has and TypeScript's library does not know yet.
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown
    rawJSON(text: string): RawNumber
    isRawJSON(value: unknown): value is RawNumber
  }
}

/**
 * A number in an object or list that a double may print otherwise: one of 16 digits or more, -0, one with a fraction or an
 * exponent. A text that holds the like costs time and nothing else.
 */
const atRisk = /[:,[]\s*(?:-?\d{16}|-0\s*[,\]}]|-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)\s*[,\]}])/

/**
 * Reads a JSON object or list, keeping the sender's digits. A text without a number at risk costs one look more than
 * `JSON.parse`.
 * @throws SyntaxError as `JSON.parse` does; RangeError when it has a number at risk and nests thousands of levels deep
 */
export const parseExactJson = (text: string): unknown =>
  atRisk.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)

const keepDigits = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && source !== undefined && source !== String(value) ? JSON.rawJSON(source) : value

export const isRawNumber = (value: unknown): value is RawNumber => JSON.isRawJSON(value)

/** The digits of a number as its sender wrote them; undefined for anything else. */
export function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return isRawNumber(value) ? value.rawJSON : undefined
}
