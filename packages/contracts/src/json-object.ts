import { digitsOf, isRawNumber } from './exact-json.ts'

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)

/** The value under `root` when the body has such a root, else the body itself. */
export const unwrapped = (body: unknown, root: string): unknown =>
  isJsonObject(body) && Object.hasOwn(body, root) ? body[root] : body

/** Follows property names; undefined as soon as one is missing. */
export function valueAt(body: unknown, ...path: string[]): unknown {
  let value = body
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/** A text that is not empty, or the digits of a number (ids made of digits come as either); anything else is undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : digitsOf(value)
}
