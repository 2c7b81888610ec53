import type { SourceFile } from '@tieline/targets/file-source'

export interface Looking {
  /** What is there now. */
  readonly look: () => Promise<readonly SourceFile[]>
  /** Between the first looks; later ones are further apart. */
  readonly lookAgainMs: number
  /** When files that are still being written are given up for this run, milliseconds since 1970. */
  readonly untilMs: number
  readonly clock: () => number
  readonly wait: (ms: number) => Promise<void>
}

const capMs = 60_000

/**
 * Files that two looks found the same, in the order of their names, each once. Others are being written: they are looked at
 * again until they hold still or the time is over.
 * @returns those that did not hold still
 */
export async function* steadyFiles(looking: Looking): AsyncGenerator<SourceFile, readonly SourceFile[]> {
  const { look, untilMs, clock, wait } = looking
  const taken = new Set<string>()
  let before = await look()
  for (let pauseMs = looking.lookAgainMs; before.length > 0; pauseMs = Math.min(pauseMs * 2, capMs)) {
    await wait(pauseMs)
    const now = await look()
    const known = new Set(before.map(identify))
    const fresh = now.filter((file) => !taken.has(identify(file)))
    const steady = fresh.filter((file) => known.has(identify(file)))
    for (const file of steady) {
      taken.add(identify(file))
      yield file
    }
    const moving = fresh.filter((file) => !known.has(identify(file)))
    if (moving.length === 0 || clock() >= untilMs) return moving
    before = now
  }
  return []
}

const identify = ({ name, version }: SourceFile): string => `${version} ${name}`
