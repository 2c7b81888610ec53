import type { z } from 'zod'
import { digitsOf } from '../exact-json.ts'
import { isJsonObject, textOf } from '../json-object.ts'
import { bendDateTime } from './bend-date-time.ts'

type Path = readonly PropertyKey[]
type Issue = z.core.$ZodIssue

/** A value that says nothing: its field is as if it had not come. */
const missing = Symbol('missing')

/** Each round mends what the one before brought to light: a list, its items, their fields, a number that is a date. */
const roundsMax = 6

export interface Bent<Schema extends z.ZodType> {
  readonly value: unknown
  /** Where something was bent, by the paths of the result. */
  readonly paths: readonly Path[]
  /** What the contract says of the value; undefined when nothing could be bent. */
  readonly result: z.ZodSafeParseResult<z.infer<Schema>> | undefined
}

/**
 * Bends a message to the types of its contract: takes what the contract finds wrong, mends what has one possible meaning, and asks
 * again. The value that was given is left as it is.
 * @param issues what is wrong with it as it came
 */
export function bend<Schema extends z.ZodType>(
  given: unknown,
  issues: readonly Issue[],
  { contract, timezone }: { readonly contract: Schema; readonly timezone: string },
): Bent<Schema> {
  const paths: Path[] = []
  let value = given
  let result: z.ZodSafeParseResult<z.infer<Schema>> | undefined
  for (let round = 0; round < roundsMax && !result?.success; round++) {
    const edits: Edit[] = []
    for (const issue of result?.error.issues ?? issues) {
      const bent = bendTo(wantedBy(issue), at(value, issue.path), timezone)
      if (bent !== undefined) edits.push({ path: issue.path, value: bent })
    }
    if (edits.length === 0) break
    value = edited(value, edits)
    result = contract.safeParse(value)
    for (const { path } of edits) paths.push(path)
  }
  return { value, paths, result }
}

/** What the contract wants where it has an issue; of several forms the first is the one meant, the others stand for "nothing". */
function wantedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected
    case 'invalid_format':
      return issue.format
    case 'invalid_value':
      return 'string'
    case 'invalid_union':
      return issue.errors[0]?.[0] && wantedBy(issue.errors[0][0])
    default:
      return undefined
  }
}

/** Undefined when the value cannot be meant so, or is so already. */
function bendTo(wanted: string | undefined, value: unknown, timezone: string): unknown {
  if (wanted === undefined || value === undefined) return undefined
  if (value === null) return missing
  switch (wanted) {
    case 'string':
      return typeof value === 'string' ? undefined : textOf(value)
    case 'date-time':
      return typeof value === 'string' ? dateTimeFrom(value, timezone) : digitsOf(value)
    case 'number':
      return typeof value === 'string' ? numberFrom(value) : undefined
    case 'boolean':
      return booleans.get(String(digitsOf(value) ?? value).toLowerCase()) ?? missingIf(value === '')
    case 'array':
      return value === '' ? missing : [value]
    case 'object':
      return missingIf(value === '')
    default:
      return undefined
  }
}

const missingIf = (nothing: boolean) => (nothing ? missing : undefined)

/** Texts that say true or false in XML. */
const booleans = new Map<string, unknown>([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

const dateTimeFrom = (text: string, timezone: string) => (text.trim() === '' ? missing : bendDateTime(text, timezone))

function numberFrom(text: string): unknown {
  const digits = text.trim()
  if (digits === '') return missing
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(digits)) return undefined
  return String(Number(digits)) === digits ? Number(digits) : JSON.rawJSON(digits)
}

function at(value: unknown, path: Path): unknown {
  let current = value
  for (const key of path) {
    if (!isContainer(current) || !Object.hasOwn(current, key)) return undefined
    current = Reflect.get(current, key)
  }
  return current
}

const isContainer = (value: unknown): value is object => Array.isArray(value) || isJsonObject(value)

interface Edit {
  readonly path: Path
  readonly value: unknown
}

/** A copy with other values at some places; what lies on no path to them is shared. */
function edited(root: unknown, edits: readonly Edit[]): unknown {
  const holder = { root }
  const copies = new Set<object>([holder])
  const shortened = new Set<unknown[]>()
  for (const { path, value } of edits) {
    let container: object = holder
    let key: PropertyKey = 'root'
    for (const next of path) {
      container = copyOf(container, key, copies)
      key = next
    }
    if (value !== missing) Reflect.set(container, key, value)
    else if (!Array.isArray(container)) Reflect.deleteProperty(container, key)
    else {
      Reflect.set(container, key, missing)
      shortened.add(container)
    }
  }
  for (const list of shortened) shorten(list)
  return holder.root
}

function shorten(list: unknown[]): void {
  let kept = 0
  for (const item of list) if (item !== missing) list[kept++] = item
  list.length = kept
}

/** What stands under a key, copied once, and the copy in its place. */
function copyOf(container: object, key: PropertyKey, copies: Set<object>): object {
  const found: unknown = Reflect.get(container, key)
  if (!isContainer(found) || copies.has(found)) return isContainer(found) ? found : container
  const copy: object = Array.isArray(found) ? [...found] : { ...found }
  copies.add(copy)
  Reflect.set(container, key, copy)
  return copy
}
