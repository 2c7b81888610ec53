import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Client } from '@tieline/runtime/installation'

/**
 * Tells whose user name and password the credentials of a Basic header are. They are compared with those of every client, as
 * digests and to the end, so that the time taken says neither which part is wrong nor whether the user exists.
 */
export function createBasicCheck(clients: readonly Client[]): (credentials: string) => Client | undefined {
  const salt = randomBytes(32)
  const digest = (pair: Buffer) => hash('sha256', Buffer.concat([salt, pair]), 'buffer')
  const known = clients.flatMap((client) =>
    client.credentials.flatMap((credential) =>
      'basic' in credential
        ? [{ client, digest: digest(Buffer.from(`${credential.basic.username}:${credential.basic.password}`)) }]
        : [],
    ),
  )
  return (credentials) => {
    const presented = digest(Buffer.from(credentials, 'base64'))
    return known.filter((pair) => timingSafeEqual(pair.digest, presented))[0]?.client
  }
}
