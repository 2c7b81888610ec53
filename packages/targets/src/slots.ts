export interface Slots {
  /** Waits for its turn, first come first served. Undefined when the signal aborts first. */
  take(signal: AbortSignal): Promise<Disposable | undefined>
}

/** Lets at most `count` holders in at a time. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting = new Set<() => void>()

  const release = () => {
    const [next] = waiting
    if (next === undefined) free += 1
    else next()
  }
  const slot = (): Disposable => ({ [Symbol.dispose]: release })

  return {
    async take(signal) {
      if (signal.aborted) return undefined
      if (free > 0) {
        free -= 1
        return slot()
      }
      return new Promise((resolve) => {
        const settle = (result: Disposable | undefined) => {
          waiting.delete(enter)
          signal.removeEventListener('abort', leave)
          resolve(result)
        }
        const enter = () => settle(slot())
        const leave = () => settle(undefined)
        waiting.add(enter)
        signal.addEventListener('abort', leave)
      })
    },
  }
}
