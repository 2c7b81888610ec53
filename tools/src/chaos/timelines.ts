import { setTimeout as delay } from 'node:timers/promises'
import type { Journal } from '@tieline/journal/journal'
import type { TimelineEntry } from '@tieline/journal/operations'

const lookEveryMs = 250

export interface Timelines extends AsyncDisposable {
  /** All that was ever written, by key. */
  read(): Promise<ReadonlyMap<string, TimelineEntry[]>>
}

/** A transfer is one message for ever, and the journal keeps 200 entries of it: so they are collected while they come. */
export function followTimelines(journal: Journal, keys: readonly string[]): Timelines {
  const stop = new AbortController()
  const collected = new Map<string, string[]>(keys.map((key) => [key, []]))

  const look = async () => {
    for (const [key, known] of collected) {
      known.push(...newIn(await journal.redis.lrange(`${journal.base}:t:${key}`, 0, -1), known))
    }
  }
  const following = (async () => {
    while (!stop.signal.aborted) {
      // Redis is killed now and then.
      await look().catch(() => undefined)
      await delay(lookEveryMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  const end = async () => {
    stop.abort()
    await following
  }

  return {
    async read() {
      await end()
      await look()
      return new Map([...collected].map(([key, known]) => [key, known.map((entry) => JSON.parse(entry))]))
    },
    [Symbol.asyncDispose]: end,
  }
}

/** The entries after the last known one. */
function newIn(now: readonly string[], known: readonly string[]): string[] {
  const last = known.at(-1)
  return now.slice(last === undefined ? 0 : now.lastIndexOf(last) + 1)
}
