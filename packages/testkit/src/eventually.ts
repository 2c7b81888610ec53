import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits for a fact, not for a time: asks until the answer is neither false nor undefined, and hands it out.
 * An error of the question counts as "not yet"; the last one is told when time is over.
 */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  withinMs = 30_000,
): Promise<Exclude<T, false | undefined | null>> {
  const end = Date.now() + withinMs
  let last: unknown = 'the answer stayed false'
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== undefined && answer !== null)
        return answer as Exclude<T, false | undefined | null>
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${String(last)}`, { cause: last })
    await delay(10)
  }
}
