import { createHmac, randomBytes } from 'node:crypto'
import type { Installation } from '@tieline/runtime/installation'
import { verifyPassword } from '@tieline/runtime/password-hash'

export type Role = 'viewer' | 'operator' | 'administrator'

export interface User {
  readonly name: string
  readonly role: Role
}

/** How long a password that was right stays right without being hashed again: the board polls every few seconds. */
const rememberMs = 60_000

/**
 * Checks names and passwords against `console.users`. A name that nobody has costs the same time as a wrong password.
 * @param clock milliseconds since 1970
 */
export function createAccess(users: Installation['console']['users'], clock: () => number = Date.now) {
  const remembered = new Map<string, number>()
  // Keyed anew in every process, so that what is remembered is worth nothing outside of it.
  const secret = randomBytes(32)
  const fingerprint = (name: string, password: string) =>
    createHmac('sha256', secret).update(`${name}\0${password}`).digest('base64')

  return async (name: string, password: string): Promise<User | undefined> => {
    const user = users.find((candidate) => candidate.name === name)
    const mark = fingerprint(name, password)
    if (user !== undefined && (remembered.get(mark) ?? 0) > clock()) return user
    const passwordHash = (user ?? users[0])?.passwordHash ?? ''
    const right = await verifyPassword(password, passwordHash)
    if (!right || user === undefined) return undefined
    for (const [old, until] of remembered) if (until <= clock()) remembered.delete(old)
    remembered.set(mark, clock() + rememberMs)
    return user
  }
}
