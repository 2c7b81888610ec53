import { abortable } from './abortable.ts'

export interface TurnLimits {
  readonly looksAtOnce: number
  readonly readsAtOnce: number
  /** While looks wait, one read begins after so many of them, so that reading never comes to a standstill. */
  readonly looksPerRead: number
}

/** Turns at the source. Each is over when it is disposed. */
export interface Turns {
  /** @throws the reason of the signal when that aborts first, as does `read` */
  look(signal: AbortSignal): Promise<Disposable>
  read(signal: AbortSignal): Promise<Disposable>
  /** Undefined when it would have to wait. */
  readNow(): Disposable | undefined
}

/** First come, first served, but looks before reads: a look is short, and somebody who has got nothing yet waits for it. */
export function createTurns({ looksAtOnce, readsAtOnce, looksPerRead }: TurnLimits): Turns {
  let looksSinceRead = 0
  const looks: Lane = {
    taken: 0,
    waiting: new Set(),
    isFree: () => looks.taken < looksAtOnce,
    onEnter() {
      looksSinceRead += 1
    },
  }
  const reads: Lane = {
    taken: 0,
    waiting: new Set(),
    isFree: () => reads.taken < readsAtOnce && (looks.waiting.size === 0 || looksSinceRead >= looksPerRead),
    onEnter() {
      looksSinceRead = 0
    },
  }

  const admit = () => {
    for (const lane of [looks, reads]) {
      for (const come of lane.waiting) {
        if (!lane.isFree()) break
        lane.waiting.delete(come)
        enter(lane)
        come()
      }
    }
  }
  const enter = (lane: Lane) => {
    lane.taken += 1
    lane.onEnter()
  }
  const turnIn = (lane: Lane): Disposable => ({
    [Symbol.dispose]() {
      lane.taken -= 1
      admit()
    },
  })
  const take = async (lane: Lane, signal: AbortSignal): Promise<Disposable> => {
    const { promise, resolve: come } = Promise.withResolvers<void>()
    lane.waiting.add(come)
    admit()
    try {
      await abortable(promise, signal)
      return turnIn(lane)
    } catch (reason) {
      if (!lane.waiting.delete(come)) turnIn(lane)[Symbol.dispose]()
      throw reason
    }
  }

  return {
    look: (signal) => take(looks, signal),
    read: (signal) => take(reads, signal),
    readNow() {
      if (!reads.isFree()) return undefined
      enter(reads)
      return turnIn(reads)
    },
  }
}

interface Lane {
  taken: number
  readonly waiting: Set<() => void>
  readonly isFree: () => boolean
  readonly onEnter: () => void
}
