import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const tokenHashForm = /^sha256:[0-9a-f]{64}$/

/** A new token of an agent, 256 bits, and its hash for `agents[].tokenHash`. It cannot be guessed, so a fast hash is enough. */
export function createAgentToken(): { token: string; tokenHash: string } {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}

/** Whether the token belongs to one of the hashes, in a time that does not depend on how much of it is right. */
export const isTokenOf = (token: string, hashes: readonly string[]): boolean =>
  hashes.some((hash) => timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(hash)))

const hashOf = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`
