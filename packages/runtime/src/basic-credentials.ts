import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A user name and a password, and whom they stand for. */
export interface BasicPair<Owner> {
  readonly username: string
  readonly password: string
  readonly owner: Owner
}

/**
 * Tells whose user name and password the credentials of a Basic header are. They are compared with all pairs, as digests and
 * to the end, so that the time taken says neither which part is wrong nor whether the user exists.
 */
export function createCredentialsCheck<Owner>(
  pairs: readonly BasicPair<Owner>[],
): (credentials: string) => Owner | undefined {
  const salt = randomBytes(32)
  const digest = (pair: Buffer) => hash('sha256', Buffer.concat([salt, pair]), 'buffer')
  const known = pairs.map(({ username, password, owner }) => ({
    owner,
    digest: digest(Buffer.from(`${username}:${password}`)),
  }))
  return (credentials) => {
    const presented = digest(Buffer.from(credentials, 'base64'))
    return known.filter((pair) => timingSafeEqual(pair.digest, presented))[0]?.owner
  }
}
