/** What a call learned about our credentials: the target accepted them, refused them, or it cannot be told. */
export type Learned = 'accepted' | 'refused' | 'nothing'

export type Admission =
  | { readonly kind: 'go'; leave(learned: Learned): void }
  | { readonly kind: 'paused'; readonly waitMs: number }

export interface Pause {
  enter(): Admission
}

export interface PauseOptions {
  /** How long to hold back after a 401 or 403. */
  readonly pauseMs: number
  /** Milliseconds of a clock that never goes back. */
  readonly clock?: (() => number) | undefined
  readonly onPause?: (() => void) | undefined
}

/**
 * Holds a connection's calls back after the target refused our credentials: storms of refused logins lock accounts.
 * When the time is over one call goes as a probe; the others stay held back until a probe is accepted.
 */
export function createPause({ pauseMs, clock = () => performance.now(), onPause }: PauseOptions): Pause {
  let pausedUntil: number | undefined
  let probing = false

  const refuse = () => {
    if (pausedUntil === undefined || clock() >= pausedUntil) onPause?.()
    pausedUntil = clock() + pauseMs
  }
  const ordinary: Admission = {
    kind: 'go',
    leave(learned) {
      if (learned === 'refused') refuse()
    },
  }
  const probe: Admission = {
    kind: 'go',
    leave(learned) {
      probing = false
      if (learned === 'refused') refuse()
      if (learned === 'accepted') pausedUntil = undefined
    },
  }

  return {
    enter() {
      if (pausedUntil === undefined) return ordinary
      const waitMs = Math.ceil(pausedUntil - clock())
      if (waitMs > 0) return { kind: 'paused', waitMs }
      // The probe's answer is a matter of seconds at most; nobody knows how many.
      if (probing) return { kind: 'paused', waitMs: Math.min(pauseMs, 1_000) }
      probing = true
      return probe
    },
  }
}
