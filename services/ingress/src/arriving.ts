import type { Readable } from 'node:stream'
import type { BodyHead } from './body-head.ts'
import { malformed, stalled, tooLarge } from './read-body.ts'

export interface Arriving extends Disposable {
  /**
   * The next piece of the body, undefined after the last.
   * @throws Refusal 400 when it breaks off, 408 when it stalls, 413 when it is too large
   */
  next(): Promise<Buffer | undefined>
}

interface Limits {
  /** Longest pause between two pieces; time that the caller takes between two of them is not the sender's. */
  readonly idleMs: number
  readonly bytesMax: number
  /** Gets what is read. */
  readonly head?: BodyHead | undefined
}

const events = ['readable', 'end', 'error', 'close'] as const

/** The body of a request, read piece by piece: what is not asked for yet stays with the sender. */
export function openArriving(incoming: Readable, { idleMs, bytesMax, head }: Limits): Arriving {
  let wake: () => void = () => undefined
  let bytes = 0
  const onEvent = () => wake()
  for (const event of events) incoming.on(event, onEvent)

  const newsWithin = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(stalled(idleMs)), idleMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  return {
    async next() {
      for (;;) {
        const piece = incoming.read() as Buffer | null
        if (piece !== null) {
          head?.add(piece)
          bytes += piece.length
          if (bytes > bytesMax) throw tooLarge(bytesMax)
          return piece
        }
        if (incoming.readableEnded) return undefined
        if (incoming.destroyed) throw malformed('The body broke off')
        await newsWithin()
      }
    },
    [Symbol.dispose]() {
      for (const event of events) incoming.off(event, onEvent)
    },
  }
}
