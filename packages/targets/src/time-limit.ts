/** Reason of an abort that means "out of time"; any other reason means that somebody stopped the call. */
export const outOfTime = 'out of time'

export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal
}

/** A signal that aborts after `timeoutMs`, or earlier with the given one. */
export function createTimeLimit(timeoutMs: number, stop?: AbortSignal): TimeLimit {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(outOfTime), timeoutMs)
  const follow = () => limit.abort()
  if (stop?.aborted) follow()
  stop?.addEventListener('abort', follow)
  return {
    signal: limit.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      stop?.removeEventListener('abort', follow)
    },
  }
}
