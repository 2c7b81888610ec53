/**
 * Works on the items in their order, at most `concurrency` at a time. After an error it starts no more, and rejects when
 * the running ones have ended, so that nothing goes on behind the caller's back.
 */
export async function forEachLimited<Item>(
  items: Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = Iterator.from(items)
  let stopped = false
  const run = async () => {
    for (let next = queue.next(); !stopped && !next.done; next = queue.next()) {
      await work(next.value).catch((error: unknown) => {
        stopped = true
        throw error
      })
    }
  }
  const runs = await Promise.allSettled(Array.from({ length: concurrency }, run))
  const failed = runs.find((ended) => ended.status === 'rejected')
  if (failed) throw failed.reason
}
