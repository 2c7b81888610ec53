export interface Timers {
  /** Calls back once; keeps no process alive. */
  after(delayMs: number, act: () => void): void
  /** Forgets everything that is due later. */
  stop(): void
}

/** Timers that can be forgotten together. */
export function createTimers(): Timers {
  const due = new Set<NodeJS.Timeout>()
  return {
    after(delayMs, act) {
      const timer = setTimeout(() => {
        due.delete(timer)
        act()
      }, delayMs).unref()
      due.add(timer)
    },
    stop() {
      for (const timer of due) clearTimeout(timer)
      due.clear()
    },
  }
}
