/**
 * Works on the items in their order, at most `concurrency` at a time. After an error it starts no more, and rejects when
 * the running ones have ended, so that nothing goes on behind the caller's back. Items that are made one by one are made only
 * when they are needed.
 */
export async function forEachLimited<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  await using queue = asAsync(items)
  let stopped = false
  const run = async () => {
    try {
      for (let next = await queue.next(); !stopped && !next.done; next = await queue.next()) await work(next.value)
    } catch (error) {
      stopped = true
      throw error
    }
  }
  const runs = await Promise.allSettled(Array.from({ length: concurrency }, run))
  const failed = runs.find((ended) => ended.status === 'rejected')
  if (failed) throw failed.reason
}

/** Of a generator: calls of `next` wait for one another, and disposal ends what it reads from. */
async function* asAsync<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item> {
  yield* items
}
