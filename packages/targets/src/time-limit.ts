/** Reason of an abort that means "out of time"; any other reason means that somebody stopped the call. */
export const outOfTime = 'out of time'

export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal
  /** Begins again with so many milliseconds: something happened that was waited for. */
  restart(timeoutMs: number): void
}

/** A signal that aborts after `timeoutMs`, or earlier with the given one. */
export function createTimeLimit(timeoutMs: number, stop?: AbortSignal): TimeLimit {
  const limit = new AbortController()
  const run = (ms: number) => setTimeout(() => limit.abort(outOfTime), ms)
  let timer = run(timeoutMs)
  const follow = () => limit.abort()
  if (stop?.aborted) follow()
  stop?.addEventListener('abort', follow)
  return {
    signal: limit.signal,
    restart(ms) {
      clearTimeout(timer)
      timer = run(ms)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      stop?.removeEventListener('abort', follow)
    },
  }
}
