import { comeAgain } from './problems.ts'

/** A request's part of the memory that all requests together may take. Its disposal gives it back. */
export interface Share extends Disposable {
  /** @throws Refusal 503 when there is no room for so many bytes more */
  grow(bytes: number): void
}

/** Shares in so many bytes, for those who shall rather be refused than wait. */
export function createRoom(bytesMax: number): () => Share {
  let taken = 0
  return () => {
    let own = 0
    return {
      grow(bytes) {
        if (taken + bytes > bytesMax) throw comeAgain('overloaded', 'As much is being read at the moment as may be')
        taken += bytes
        own += bytes
      },
      [Symbol.dispose]() {
        taken -= own
        own = 0
      },
    }
  }
}

/** Resolves when it is the turn of so many bytes; the turn ends with its disposal. */
export type TakeTurn = (bytes: number) => Promise<Disposable>

/** Lets those wait whose bytes together are more than `bytesMax`; whoever needs more than all of it has it alone. */
export function createTurns(bytesMax: number): TakeTurn {
  let busy = 0
  let waiting: { readonly bytes: number; readonly begin: () => void }[] = []
  const admit = () => {
    // A small one may go before a large one that does not fit yet: nobody small waits long because of it.
    waiting = waiting.filter(({ bytes, begin }) => {
      if (busy > 0 && busy + bytes > bytesMax) return true
      busy += bytes
      begin()
      return false
    })
  }
  return async (bytes) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push({ bytes, begin: resolve })
    admit()
    await promise
    return {
      [Symbol.dispose]() {
        busy -= bytes
        admit()
      },
    }
  }
}
