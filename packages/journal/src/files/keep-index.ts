import type { Attempt } from '../types.ts'

/**
 * Keeps, for as long as the message, what its file can be searched by, in place of what was kept so before. That it cannot be stored is
 * logged, and no reason to keep the message from going on.
 * @returns false when it could not be stored
 * @throws what the chunks throw
 */
export async function keepIndex(attempt: Attempt, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  const reference = await storeIndex(attempt, chunks)
  if (reference !== undefined) await attempt.pen.write('keep-index', { reference })
  return reference !== undefined
}

async function storeIndex(
  { journal: { payloads, logger }, key }: Attempt,
  chunks: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  let broken: { readonly error: unknown } | undefined
  async function* observed(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks
    } catch (error) {
      broken = { error }
      throw error
    }
  }
  try {
    return (await payloads.keep(observed(), 'outside')).reference
  } catch (error) {
    if (broken !== undefined) throw broken.error
    logger.warn({ err: error, key }, 'What the devices of a file are found by could not be stored')
    return undefined
  }
}
