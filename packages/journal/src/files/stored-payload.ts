import { parseExactJson } from '@tieline/contracts/exact-json'
import { never, TielineError } from '@tieline/runtime/error'
import { type Journal, payloadContext } from '../journal.ts'

/**
 * What a message carries, parsed as JSON.
 * @param sealed the payload in Redis, null when there is none
 * @param reference of the payload in the payload store, empty when there is none
 * @throws TielineError `payload-trimmed` or `payload-unreadable`
 */
export async function readPayload(
  journal: Journal,
  key: string,
  sealed: Buffer | null,
  reference: string,
): Promise<unknown> {
  if (reference !== '') {
    const chunks = await Array.fromAsync(openPayload(journal, reference))
    return parseExactJson(Buffer.concat(chunks).toString('utf8'))
  }
  if (sealed === null) throw trimmed()
  return parseExactJson(journal.sealer.openBytes(sealed, payloadContext(key)))
}

/** Bytes of what the payload store keeps. An empty reference stands for something that is no longer kept. */
export async function* openPayload(journal: Journal, reference: string): AsyncGenerator<Buffer> {
  if (reference === '') throw trimmed()
  yield* journal.payloads.open(reference)
}

const trimmed = () => new TielineError('payload-trimmed', never, 'The payload is no longer kept')
