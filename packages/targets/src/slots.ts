export interface Slots {
  /** Waits for its turn, first come first served. */
  take(): Promise<Disposable>
}

/** Lets at most `count` holders in at a time. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting: ((slot: Disposable) => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next({ [Symbol.dispose]: release })
  }
  return {
    async take() {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve))
      free -= 1
      return { [Symbol.dispose]: release }
    },
  }
}
