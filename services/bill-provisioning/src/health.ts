import { abortable } from './abortable.ts'

export interface HealthOptions {
  /** Asks the source. Rejects when it cannot be reached. */
  readonly probe: () => Promise<unknown>
  /** How long an answer of the source holds; default 5 s. */
  readonly keptMs?: number | undefined
  /** How long a probe may take; a source that takes longer counts as away. Default 4 s, as a caller waits for 5 s. */
  readonly withinMs?: number | undefined
  /** Told when the answer changes, and of a first one that is no. */
  readonly onChange: (reachable: boolean, error: unknown) => void
}

/**
 * Tells whether the source can be reached. However many ask, one probe runs at a time, and the next `keptMs` after its end. One
 * that hangs is not joined by others, which would hang as well.
 */
export function createHealth({ probe, keptMs = 5_000, withinMs = 4_000, onChange }: HealthOptions) {
  let current: Promise<boolean> | undefined
  let before = true

  const look = async (): Promise<boolean> => {
    const probing = probe()
    const forgetLater = () =>
      void setTimeout(() => {
        current = undefined
      }, keptMs).unref()
    probing.then(forgetLater, forgetLater)
    const { reachable, error } = await abortable(probing, AbortSignal.timeout(withinMs)).then(
      () => ({ reachable: true, error: undefined }),
      (error: unknown) => ({ reachable: false, error }),
    )
    if (reachable !== before) onChange(reachable, error)
    before = reachable
    return reachable
  }
  return (): Promise<boolean> => {
    current ??= look()
    return current
  }
}
