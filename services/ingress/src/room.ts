import { comeAgain } from './problems.ts'

/** A request's part of the memory that all requests together may take. Its disposal gives it back. */
export interface Share extends Disposable {
  /** @throws Refusal 503 when there is no room for so many bytes more */
  grow(bytes: number): void
}

export interface RoomOptions {
  readonly bytesMax: number
  /** Those who take shares. */
  readonly clients: readonly string[]
  /** What one request needs at least. */
  readonly bytesMin: number
}

/**
 * Shares in so many bytes, for those who shall rather be refused than wait. A part of the room is kept for each client, so that
 * nobody can take all of it: together a quarter, or more where that would be too little for a request of each. The rest is for
 * whoever comes.
 */
export function createRoom({ bytesMax, clients, bytesMin }: RoomOptions): (client: string) => Share {
  const parts = Math.max(1, clients.length)
  const kept = Math.min(Math.max(bytesMax / 4 / parts, bytesMin), (bytesMax * 3) / 4 / parts)
  const takenBy = new Map(clients.map((client) => [client, 0]))
  /** With what is kept for those who have not taken it. */
  let claimed = kept * clients.length

  const take = (client: string, bytes: number): void => {
    const taken = takenBy.get(client) ?? 0
    const more = Math.max(taken + bytes, kept) - Math.max(taken, kept)
    if (bytes > 0 && claimed + more > bytesMax)
      throw comeAgain('overloaded', 'As much is being read at the moment as may be')
    claimed += more
    takenBy.set(client, taken + bytes)
  }
  return (client) => {
    let own = 0
    return {
      grow(bytes) {
        take(client, bytes)
        own += bytes
      },
      [Symbol.dispose]() {
        take(client, -own)
        own = 0
      },
    }
  }
}

/** Resolves when it is the turn of so many bytes; the turn ends with its disposal. */
export type TakeTurn = (client: string, bytes: number) => Promise<Disposable>

/** The requests of one client. */
interface Line {
  readonly client: string
  busy: number
  readonly waiting: Set<{ readonly bytes: number; readonly begin: () => void }>
}

/**
 * Lets those wait whose bytes together are more than `bytesMax`; whoever needs more than all of it has it alone. The next turn is
 * for the client that has the least of it, and among equals for the one whose last turn is longest ago. A turn is short, so
 * nobody goes before one that waits for room: that one might wait for ever.
 */
export function createTurns(bytesMax: number): TakeTurn {
  /** In the order of their last turns. */
  const lines = new Map<string, Line>()
  let busy = 0

  const nextLine = (): Line | undefined => {
    let least: Line | undefined
    for (const line of lines.values()) {
      if (line.waiting.size > 0 && (least === undefined || line.busy < least.busy)) least = line
    }
    return least
  }
  const admit = () => {
    for (let line = nextLine(); line !== undefined; line = nextLine()) {
      const [next] = line.waiting
      if (next === undefined || (busy > 0 && busy + next.bytes > bytesMax)) return
      line.waiting.delete(next)
      line.busy += next.bytes
      busy += next.bytes
      lines.delete(line.client)
      lines.set(line.client, line)
      next.begin()
    }
  }
  return async (client, bytes) => {
    const line = lines.get(client) ?? { client, busy: 0, waiting: new Set() }
    lines.set(client, line)
    const { promise, resolve } = Promise.withResolvers<void>()
    line.waiting.add({ bytes, begin: resolve })
    admit()
    await promise
    return {
      [Symbol.dispose]() {
        line.busy -= bytes
        busy -= bytes
        admit()
      },
    }
  }
}
