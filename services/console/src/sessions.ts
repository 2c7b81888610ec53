import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { queuePrefix } from '@tieline/journal/queues'
import type { Installation } from '@tieline/runtime/installation'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { User } from './access.ts'

/** A working day. A session is not prolonged: Bull Board asks every few seconds for as long as its page is open. */
export const sessionS = 8 * 3_600

/** Who is logged in. Kept in Redis, so that every process of the console knows, and a restart logs nobody out. */
export interface Sessions {
  /** Hands out the id by which the browser is known from now on. */
  begin(user: User): Promise<string>
  /** Undefined when the session is over, or its user is gone or has another password. */
  find(id: string): Promise<User | undefined>
  end(id: string): Promise<void>
}

interface Deps {
  readonly redis: Pick<RedisConnection, 'set' | 'get' | 'del'>
  readonly installation: string
  readonly users: Installation['console']['users']
}

/**
 * What a request that changes something must carry besides the cookie, which a browser sends along whoever asks it to. It can be
 * told from the id alone, and tells nothing of it.
 */
export const tokenOf = (id: string): string => sha256(`token of ${id}`)

/** Whether a request carries the token of its session. */
export function isToken(id: string, given = ''): boolean {
  const [right, told] = [Buffer.from(tokenOf(id)), Buffer.from(given)]
  return right.length === told.length && timingSafeEqual(right, told)
}

export function createSessions({ redis, installation, users }: Deps): Sessions {
  // Whoever can read Redis finds hashes, with which nobody is let in.
  const keyOf = (id: string) => `${queuePrefix(installation)}:console:session:${sha256(id)}`
  const passwordOf = (name: string) => sha256(users.find((user) => user.name === name)?.passwordHash ?? '')

  return {
    async begin({ name }) {
      const id = randomBytes(32).toString('base64url')
      await redis.set(keyOf(id), JSON.stringify({ name, password: passwordOf(name) }), 'EX', sessionS)
      return id
    },
    async find(id) {
      const stored = await redis.get(keyOf(id))
      if (stored === null) return undefined
      const { name, password } = JSON.parse(stored) as { name: string; password: string }
      return password === passwordOf(name) ? users.find((user) => user.name === name) : undefined
    },
    async end(id) {
      await redis.del(keyOf(id))
    },
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
