import type { RedisConnection } from '@tieline/runtime/redis'

/** A member of a sorted set whose scores are times. */
export interface Dated {
  readonly set: string
  readonly member: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface Span {
  /** Milliseconds since 1970, both included. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

const pageSize = 500

interface Cursor {
  readonly set: string
  page: Dated[]
  /** Where the next page begins: at this score, after so many members of it. */
  max: string
  skip: number
  ended: boolean
}

/**
 * The members of all sets, the latest first, in pages: what a caller does not ask for is not read. What changes while it is being
 * read may come twice or not at all, as with any list that grows; what stays as it is comes once.
 */
export async function* newestFirst(
  redis: RedisConnection,
  sets: readonly string[],
  { since, until }: Span = {},
  firstPage = pageSize,
): AsyncGenerator<Dated[]> {
  const min = since === undefined ? '-inf' : String(since)
  const max = until === undefined ? '+inf' : String(until)
  const cursors: Cursor[] = sets.map((set) => ({ set, page: [], max, skip: 0, ended: false }))
  let size = Math.min(firstPage, pageSize)
  for (;;) {
    await fill(redis, cursors, min, size)
    size = pageSize
    const page = merge(cursors)
    if (page.length === 0) return
    yield page
  }
}

/** Gives every set that has run out of members its next ones. */
async function fill(redis: RedisConnection, cursors: readonly Cursor[], min: string, size: number): Promise<void> {
  const empty = cursors.filter(({ page, ended }) => page.length === 0 && !ended)
  if (empty.length === 0) return
  const pipeline = redis.pipeline()
  for (const { set, max, skip } of empty) {
    pipeline.zrevrangebyscore(set, max, min, 'WITHSCORES', 'LIMIT', skip, size)
  }
  const answers = (await pipeline.exec()) ?? []
  for (const [i, cursor] of empty.entries()) {
    const [error, flat] = answers[i] ?? []
    if (error) throw error
    take(cursor, flat as string[], size)
  }
}

function take(cursor: Cursor, flat: readonly string[], size: number): void {
  const { set } = cursor
  cursor.page = flat.flatMap((member, i) => (i % 2 === 0 ? [{ set, member, at: Number(flat[i + 1]) }] : []))
  cursor.ended = cursor.page.length < size
  const last = flat.at(-1)
  if (last === undefined) return
  const atLast = cursor.page.filter(({ at }) => at === Number(last)).length
  cursor.skip = last === cursor.max ? cursor.skip + atLast : atLast
  cursor.max = last
}

/** Takes from the sets, the latest first, until one of them would have to be read on. */
function merge(cursors: readonly Cursor[]): Dated[] {
  const merged: Dated[] = []
  const live = cursors.filter(({ page }) => page.length > 0)
  for (;;) {
    const latest = live.reduce<Cursor | undefined>(
      (best, one) => (at(one) > (best ? at(best) : -1) ? one : best),
      undefined,
    )
    const next = latest?.page.shift()
    if (latest === undefined || next === undefined) return merged
    merged.push(next)
    if (latest.page.length === 0 && !latest.ended) return merged
  }
}

const at = ({ page }: Cursor): number => page[0]?.at ?? -1
