interface LineLimit {
  readonly linesMax: number
  readonly periodMs: number
  /** Told at the end of a period how many lines it held back, if any. */
  readonly tell: (heldBack: number) => void
}

/**
 * Bounds what others can make us log: the returned function says whether one more line may be written. Strangers must not be
 * able to fill a disk, nor to bury the lines that matter.
 */
export function createLineLimit({ linesMax, periodMs, tell }: LineLimit): () => boolean {
  let lines = 0
  const endPeriod = () => {
    if (lines > linesMax) tell(lines - linesMax)
    lines = 0
  }
  return () => {
    if (lines === 0) setTimeout(endPeriod, periodMs).unref()
    lines += 1
    return lines <= linesMax
  }
}
