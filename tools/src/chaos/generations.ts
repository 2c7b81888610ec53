import type { Recorded, Sent } from './history.ts'

/** One generation of a message, as its time line tells it. */
export interface Generation {
  readonly number: number
  readonly acceptedAt: number
  /** Which payload it ran: undefined when requests with different payloads were on their way at that moment. */
  readonly version: string | undefined
  attempts: number
  settled?: { readonly at: number; readonly state: string; readonly outcome: string }
}

/**
 * The generations of a message in their order.
 * @param own the requests that brought it
 */
export function generationsOf({ timeline }: Pick<Recorded, 'timeline'>, own: readonly Sent[]): Generation[] {
  const generations: Generation[] = []
  for (const entry of inOrder(timeline)) {
    const last = generations.at(-1)
    switch (entry.what) {
      case 'accepted':
      case 'resubmitted':
      case 'rerun': {
        const kept = last !== undefined && entry.changed !== true
        generations.push({
          number: Number(entry.generation),
          acceptedAt: entry.at,
          version: kept ? last.version : versionAt(own, entry.at, last?.version),
          attempts: 0,
        })
        break
      }
      case 'attempt':
        if (last) last.attempts += 1
        break
      case 'settled':
        if (last) last.settled = { at: entry.at, state: String(entry.state), outcome: String(entry.outcome) }
        break
    }
  }
  return generations
}

/**
 * A script tells the time at which it was asked for; while Redis is away it runs later than that. It did not run before those
 * that stand before it.
 */
function inOrder(timeline: Recorded['timeline']): Recorded['timeline'] {
  let latest = 0
  return timeline.map((entry) => {
    latest = Math.max(latest, entry.at)
    return { ...entry, at: latest }
  })
}

/** The payload that was accepted at a moment: that of the requests under way then, if they agree. */
function versionAt(own: readonly Sent[], at: number, not: string | undefined): string | undefined {
  const candidates = own.filter((request) => request.at <= at && (request.answeredAt ?? Number.POSITIVE_INFINITY) >= at)
  const versions = new Set(candidates.map(({ version }) => version).filter((version) => version !== not))
  return versions.size === 1 ? [...versions][0] : undefined
}
