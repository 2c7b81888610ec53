import { digitsOf, isRawNumber } from './exact-json.ts'

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)

/** The value under `root` when the body has such a root, else the body itself. */
export const unwrapped = (body: unknown, root: string): unknown =>
  isJsonObject(body) && Object.hasOwn(body, root) ? body[root] : body

/**
 * What holds the fields of an answer: the value under `root`, the body itself, or what stands below its only property, because
 * roots of answers are not published.
 */
export function withFields(body: unknown, root: string, fields: readonly string[]): unknown {
  if (!isJsonObject(body) || Object.hasOwn(body, root)) return unwrapped(body, root)
  const [only, ...others] = Object.values(body)
  const isWrapped = others.length === 0 && isJsonObject(only) && !fields.some((field) => Object.hasOwn(body, field))
  return isWrapped ? only : body
}

/** Follows property names; undefined as soon as one is missing. */
export function valueAt(body: unknown, ...path: string[]): unknown {
  let value = body
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/**
 * A text that is not empty, the digits of a number (ids made of digits come as either), or the word of a boolean; anything else is
 * undefined. Tolerant reading makes the same of a value where a contract wants a text.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' ? value : digitsOf(value)
}
