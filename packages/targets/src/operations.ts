import type { Content } from './exchange.ts'
import type { HttpTarget } from './http-target.ts'

/** One thing that a target can do. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the connection's base URL, to the letter. A part in braces is filled in per call. */
  readonly path: string
}

export type Operations = Readonly<Record<string, Operation>>

export interface OperationCall {
  readonly body?: unknown
  readonly content?: Content | undefined
  /** Value of the part in braces; it becomes exactly one segment of the path. */
  readonly segment?: string
  readonly success?: ReadonlySet<number> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Where an installation keeps its operations. */
export interface Addresses<Name extends string> {
  readonly baseUrl: string
  /** Other paths per operation, relative to the base URL or absolute. */
  readonly paths: Partial<Readonly<Record<Name, string>>>
}

/** Calls operations by name. */
export const createOperations =
  <Name extends string>(
    target: HttpTarget,
    operations: Readonly<Record<Name, Operation>>,
    { baseUrl, paths }: Addresses<Name>,
  ) =>
  (name: Name, { segment, ...call }: OperationCall) => {
    const { method, path } = operations[name]
    const url = joinUrl(baseUrl, paths[name] ?? path)
    return target.call({
      operation: name,
      method,
      url: segment === undefined ? url : url.replace(placeholder, encodeURIComponent(segment)),
      ...call,
    })
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
