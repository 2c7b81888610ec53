import type { Journal } from './journal.ts'

/**
 * Stores what a file can be searched by. That it cannot be stored is no reason to keep the message from going on.
 * @returns the reference, undefined when it could not be stored
 * @throws what the chunks throw
 */
export async function storeIndex(
  { payloads, logger }: Pick<Journal, 'payloads' | 'logger'>,
  key: string,
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
