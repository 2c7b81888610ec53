import { TielineError } from '@tieline/runtime/error'
import type { Journal } from './journal.ts'

/** A message may break its contract in very many places. */
const lengthMax = 2_000

/** Why a message did not succeed, in words, as it is kept in the record: they may name a code of the message. */
export const sealReason = ({ sealer }: Pick<Journal, 'sealer'>, key: string, reason: string): string =>
  sealer.seal(reason.slice(0, lengthMax).toWellFormed(), contextOf(key))

/** Undefined when there is none. Whatever became of the keys, the rest of a record can be shown. */
export async function readReason({ redis, base, sealer }: Journal, key: string): Promise<string | undefined> {
  const sealed = await redis.hget(`${base}:m:${key}`, 'reason')
  try {
    return sealed ? sealer.open(sealed, contextOf(key)) : undefined
  } catch (error) {
    if (error instanceof TielineError) return 'cannot be read: its key is not in TIELINE_PAYLOAD_KEYS'
    throw error
  }
}

const contextOf = (key: string) => `${key}:reason`
