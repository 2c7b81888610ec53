import { parseExactJson } from '@tieline/contracts/exact-json'

/** The value of a JSON text, or the text itself. */
export function parsedOrText(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch {
    return text
  }
}
