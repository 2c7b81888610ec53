import { isRawNumber } from './exact-json.ts'

/** No contract nests deeper than ten levels; the limit keeps hostile nesting from exhausting the stack. */
const depthMax = 200

/** Insertion sort beats `Array.prototype.sort` up to about this many keys, and messages rarely have more. */
const shortListMax = 24

/**
 * JSON text of a parsed JSON value with the keys of every object in one fixed order, so that two texts are equal exactly when
 * the values are. Payload hashes are made of it. Nothing is dropped: unknown fields count as much as known ones,
 * and numbers that keep their digits by those.
 * @throws RangeError when the value nests deeper than 200 levels
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value, 0)) ?? 'null'

function ordered(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (depth === depthMax) throw new RangeError(`The JSON value nests deeper than ${depthMax} levels`)
  if (Array.isArray(value)) return value.map((item) => ordered(item, depth + 1))
  if (isRawNumber(value)) return value
  const source = value as Record<string, unknown>
  const result: Record<string, unknown> = {}
  for (const key of sort(Object.keys(source))) {
    const item = ordered(source[key], depth + 1)
    // A plain assignment to this name would set the prototype and lose the field.
    if (key === '__proto__') Object.defineProperty(result, key, { value: item, enumerable: true })
    else result[key] = item
  }
  return result
}

function sort(keys: string[]): string[] {
  if (keys.length > shortListMax) return keys.sort()
  for (let end = 1; end < keys.length; end++) {
    const key = keys[end] as string
    let at = end
    for (; at > 0 && (keys[at - 1] as string) > key; at--) keys[at] = keys[at - 1] as string
    keys[at] = key
  }
  return keys
}
