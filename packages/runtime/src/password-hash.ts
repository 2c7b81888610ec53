import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** Cost of new hashes: 32 MiB and three passes, one of OWASP's equivalent choices for scrypt. */
const cost = { N: 2 ** 15, r: 8, p: 3 }
const hashBytes = 32

/** No stored hash may ask for more than this: a login would take the process down. */
const memoryBytesMax = 256 * 2 ** 20

/** A salted hash of the password as `scrypt:<N>:<r>:<p>:<salt>:<hash>`, salt and hash in base64, for `console.users[].passwordHash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password.normalize('NFKC'), salt, hashBytes, { ...cost, maxmem: memoryBytes(cost) })
  return `scrypt:${cost.N}:${cost.r}:${cost.p}:${salt.toString('base64')}:${hash.toString('base64')}`
}

/** Whether the password is the one that was hashed, in a time that does not depend on how much of it is right. */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const stored = parseHash(passwordHash)
  if (stored === undefined) return false
  const { salt, hash, ...parameters } = stored
  const actual = await derive(password.normalize('NFKC'), salt, hash.length, {
    ...parameters,
    maxmem: memoryBytes(parameters),
  })
  return timingSafeEqual(actual, hash)
}

/** Whether a text is a hash that `verifyPassword` can work with. */
export const isPasswordHash = (text: string): boolean => parseHash(text) !== undefined

interface Parameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

const form = /^scrypt:(\d{1,9}):(\d{1,3}):(\d{1,3}):([A-Za-z0-9+/]{16,}={0,2}):([A-Za-z0-9+/]{22,}={0,2})$/

function parseHash(text: string): (Parameters & { salt: Buffer; hash: Buffer }) | undefined {
  const [, N, r, p, salt, hash] = form.exec(text) ?? []
  if (salt === undefined || hash === undefined) return undefined
  const parameters = { N: Number(N), r: Number(r), p: Number(p) }
  const usable = Number.isInteger(Math.log2(parameters.N)) && parameters.N > 1 && parameters.r > 0 && parameters.p > 0
  if (!usable || memoryBytes(parameters) > memoryBytesMax) return undefined
  return { ...parameters, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** What scrypt needs, with room to spare: Node's own limit is below the cost above. */
const memoryBytes = ({ N, r, p }: Parameters): number => 128 * r * (N + p + 2) + 2 ** 20
