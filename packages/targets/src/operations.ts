import { isJsonObject } from '@tieline/contracts/json-object'
import type { MayCall } from '@tieline/runtime/call-target'
import { type Answer, CallError, never } from '@tieline/runtime/error'
import type { Content } from './exchange.ts'
import type { HttpTarget } from './http-target.ts'

/** One thing that a target can do. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the connection's base URL, to the letter. A part in braces is filled in per call. */
  readonly path: string
  /** HTTP statuses that are success; 200, 201 and 204 unless told. */
  readonly success?: ReadonlySet<number>
}

export type Operations = Readonly<Record<string, Operation>>

export interface OperationRequest {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in place of a body. */
  readonly content?: Content
  /** Value of the part in braces; it becomes exactly one segment of the path. */
  readonly segment?: string
}

/** Where an installation keeps its operations. */
export interface Addresses<Name extends string> {
  readonly baseUrl: string
  /** Other paths per operation, relative to the base URL or absolute. */
  readonly paths: Partial<Readonly<Record<Name, string>>>
  /** Other names of fields per operation, at any depth of a body. */
  readonly fieldNames?: Partial<Readonly<Record<Name, Readonly<Record<string, string>>>>>
}

/** Calls operations by name. */
export const createOperations =
  <Name extends string>(
    target: HttpTarget,
    operations: Readonly<Record<Name, Operation>>,
    { baseUrl, paths, fieldNames = {} }: Addresses<Name>,
  ) =>
  async (name: Name, { segment, body, content }: OperationRequest, mayCall?: MayCall): Promise<Answer> => {
    const { method, path, success } = operations[name]
    const url = joinUrl(baseUrl, paths[name] ?? path)
    return target.call({
      operation: name,
      method,
      url: segment === undefined ? url : url.replace(placeholder, encoded(segment, name, target)),
      body: withNames(body, fieldNames[name]),
      content,
      success,
      mayCall,
    })
  }

/** Some values would change the path, or cannot be encoded. Any other stays one segment when it is percent-encoded. */
function encoded(segment: string, operation: string, target: HttpTarget): string {
  if (!['', '.', '..'].includes(segment) && segment.isWellFormed()) return encodeURIComponent(segment)
  throw new CallError({
    code: 'contract-violation',
    retry: never,
    outcome: 'failed',
    connection: target.name,
    message: `${target.name}: ${operation} was not called: the id cannot stand in a path`,
    durationMs: 0,
  })
}

/**
 * Asks whether there is anything at the address of an operation, in a way that changes nothing: OPTIONS, and where that is not
 * known GET. The part in braces is left out, and then filled with something that cannot be there.
 * @returns false only when everything is answered 404. @throws CallError when there is no answer
 */
export const createProbe =
  <Name extends string>(
    target: HttpTarget,
    operations: Readonly<Record<Name, Operation>>,
    { baseUrl, paths }: Addresses<Name>,
  ) =>
  async (name: Name): Promise<boolean> => {
    const url = joinUrl(baseUrl, paths[name] ?? operations[name].path)
    const urls = new Set(['', 'tieline-connection-test'].map((segment) => url.replace(placeholder, segment)))
    for (const method of ['OPTIONS', 'GET'] as const) {
      for (const each of urls) {
        const { status } = await target.call({ operation: 'probe', method, url: each, success: anyStatus })
        if (status !== 404) return true
      }
    }
    return false
  }

/** What is answered matters, and not how. */
const anyStatus: ReadonlySet<number> = new Set(Array.from({ length: 500 }, (_, i) => 100 + i))

function withNames(value: unknown, names: Readonly<Record<string, string>> | undefined): unknown {
  if (names === undefined) return value
  if (Array.isArray(value)) return value.map((item) => withNames(item, names))
  if (!isJsonObject(value)) return value
  // `fromEntries` defines fields, so that one called `__proto__` stays a field.
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      Object.hasOwn(names, name) ? (names[name] ?? name) : name,
      withNames(field, names),
    ]),
  )
}

/** Names of the operations whose replaced path lacks the part in braces that the documented one has. */
export const pathsWithoutPlaceholder = (operations: Operations, paths: Readonly<Record<string, string>>): string[] =>
  Object.entries(paths)
    .filter(([name, path]) => placeholder.test(operations[name]?.path ?? '') && !placeholder.test(path))
    .map(([name]) => name)

const placeholder = /\{\w+\}/

/** A trailing slash of the path stays, because DACS documents some paths with one. */
function joinUrl(baseUrl: string, path: string): string {
  if (/^https?:\/\//i.test(path)) return path
  return `${baseUrl.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
}
