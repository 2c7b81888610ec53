import { createHmac, randomBytes } from 'node:crypto'
import type { Installation } from '@tieline/runtime/installation'
import { createLineLimit } from '@tieline/runtime/line-limit'
import type { Logger } from '@tieline/runtime/logger'
import { verifyPassword } from '@tieline/runtime/password-hash'
import { HTTPException } from 'hono/http-exception'

export type Role = 'viewer' | 'operator' | 'administrator'

export interface User {
  readonly name: string
  readonly role: Role
}

/** How long a password that was right stays right without being hashed again: the board polls every few seconds. */
const rememberMs = 60_000

/** How many may wait until their password is looked at. */
const waitingMax = 50

/** Lines about refused logins; whoever guesses must not fill the log. */
const refusals = { linesMax: 20, periodMs: 60_000 }

interface Deps {
  readonly users: Installation['console']['users']
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

/**
 * Tells whose name and password these are; undefined when they are nobody's.
 * @throws HTTPException 503 when too many are waiting to be told
 */
export type Access = (name: string, password: string) => Promise<User | undefined>

/**
 * Checks names and passwords against `console.users`. A name that nobody has costs the same time as a wrong password. One is
 * looked at after the other: hashing takes a core and much memory, of which guesses shall have no more.
 */
export function createAccess({ users, logger, clock = Date.now }: Deps): Access {
  const mayLog = createLineLimit({
    ...refusals,
    tell: (heldBack) => logger.warn({ heldBack }, `Refused ${heldBack} more logins`),
  })
  const inTurn = createLine(waitingMax)
  const remembered = new Map<string, number>()
  // Keyed anew in every process, so that what is remembered is worth nothing outside of it.
  const secret = randomBytes(32)
  const fingerprint = (name: string, password: string) =>
    createHmac('sha256', secret).update(`${name}\0${password}`).digest('base64')

  return async (name, password) => {
    const user = users.find((candidate) => candidate.name === name)
    const mark = fingerprint(name, password)
    if (user !== undefined && (remembered.get(mark) ?? 0) > clock()) return user
    const passwordHash = (user ?? users[0])?.passwordHash ?? ''
    const right = await inTurn(() => verifyPassword(password, passwordHash))
    if (!right || user === undefined) {
      // An unknown name may be a password in the wrong field, so it is not logged.
      if (mayLog()) logger.warn({ user: user?.name }, 'A login was refused')
      return undefined
    }
    for (const [old, until] of remembered) if (until <= clock()) remembered.delete(old)
    remembered.set(mark, clock() + rememberMs)
    return user
  }
}

/** Does one thing after the other. */
function createLine(max: number) {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting === max) throw tooMany()
    waiting += 1
    const done = last.then(work).finally(() => {
      waiting -= 1
    })
    last = done.catch(() => undefined)
    return done
  }
}

const tooMany = () =>
  new HTTPException(503, {
    res: new Response('Too many are logging in at the moment', { status: 503, headers: { 'retry-after': '5' } }),
  })
