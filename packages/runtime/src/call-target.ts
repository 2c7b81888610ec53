/**
 * Asked right before a request leaves; undefined when it surely may. A rejection says that it must not be made any more, and
 * comes back to who wanted the call. Between the intention to call a target and the request may lie waits for a free slot, a
 * token and a connection, and a process may stand still.
 */
export type MayCall = () => Promise<void> | undefined

/** A successful call. */
export interface CallResult {
  readonly durationMs: number
  /** HTTP status, where the target speaks HTTP. */
  readonly status?: number
  readonly body?: unknown
}

/** A far side that calls can be made on. */
export interface CallTarget<Operation extends string, Request, Result extends CallResult> {
  /** Name of the connection. */
  readonly name: string
  /** @throws CallError for every way to fail; what `mayCall` threw, and then nothing was sent */
  call(operation: Operation, request: Request, mayCall?: MayCall): Promise<Result>
}
