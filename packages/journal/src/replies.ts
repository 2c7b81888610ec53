import type { RedisConnection } from '@tieline/runtime/redis'
import { openReply } from './intake.ts'
import type { Journal } from './journal.ts'
import { settledStates } from './schema.ts'
import type { Reply } from './types.ts'

/** How waiting ended. `superseded`: a newer payload with the same id took over. `open`: not settled in time. */
export type Waited = { kind: 'settled'; reply: Reply | undefined } | { kind: 'superseded' } | { kind: 'open' }

export interface ReplyDesk extends AsyncDisposable {
  /** Waits until this generation of the message settles, the time is over, or the signal aborts (then `open`). */
  wait(message: { key: string; generation: number }, timeoutMs: number, signal: AbortSignal): Promise<Waited>
}

interface Waiter {
  readonly key: string
  readonly generation: number
  readonly end: (waited: Waited) => void
}

const lookEveryMs = 5_000

/**
 * Wakes waiting callers. The journal's record is the truth; its news comes over one pub/sub channel, and a look at all
 * awaited records every 5 s and after a reconnect makes up for news that got lost.
 * @param subscriber a connection of its own, see `connectSubscriber`
 */
export async function startReplyDesk(journal: Journal, subscriber: RedisConnection): Promise<ReplyDesk> {
  const waiters = new Map<string, Set<Waiter>>()

  const look = async (keys: readonly string[]) => {
    if (keys.length === 0) return
    // Together, or a state would be read with the reply of another generation.
    const transaction = journal.redis.multi()
    for (const key of keys) {
      transaction.hmget(`${journal.base}:m:${key}`, 'changed', 'state').get(`${journal.base}:y:${key}`)
    }
    const answers = (await transaction.exec()) ?? []
    keys.forEach((key, i) => {
      const [error, fields] = answers[2 * i] ?? []
      const [, reply] = answers[2 * i + 1] ?? []
      if (error || !Array.isArray(fields)) return
      for (const waiter of waiters.get(key) ?? []) {
        const waited = readSafely(waiter, fields as (string | null)[], reply as string | null)
        if (waited) waiter.end(waited)
      }
    })
  }
  /** One reply that cannot be read must not keep the others from their callers. */
  const readSafely = (waiter: Waiter, fields: (string | null)[], reply: string | null) => {
    try {
      return readRecord(journal, waiter, fields, reply)
    } catch (error) {
      journal.logger.error({ err: error, key: waiter.key }, 'A reply cannot be read; its caller goes away without it')
      return undefined
    }
  }
  const lookSafely = (keys: readonly string[]) =>
    look(keys).catch((error) => journal.logger.warn({ err: error }, 'Could not read awaited replies; will look again'))

  subscriber.on('message', (_channel, key) => {
    if (waiters.has(key)) void lookSafely([key])
  })
  const lookAtAll = () => lookSafely([...waiters.keys()])
  const subscribe = () =>
    subscriber.subscribe(`${journal.base}:news`).then(lookAtAll, (error: unknown) =>
      // Another outage: its end is another `ready`.
      journal.logger.warn({ err: error }, 'Could not subscribe to news of replies'),
    )
  subscriber.on('ready', () => void subscribe())
  if (subscriber.status === 'ready') void subscribe()
  const timer = setInterval(() => void lookAtAll(), lookEveryMs)

  return {
    wait({ key, generation }, timeoutMs, signal) {
      return new Promise((resolve) => {
        const waiter: Waiter = {
          key,
          generation,
          end(waited) {
            clearTimeout(timeout)
            signal.removeEventListener('abort', giveUp)
            const others = waiters.get(key)
            others?.delete(waiter)
            if (others?.size === 0) waiters.delete(key)
            resolve(waited)
          },
        }
        const giveUp = () => waiter.end({ kind: 'open' })
        const timeout = setTimeout(giveUp, timeoutMs)
        signal.addEventListener('abort', giveUp)
        waiters.set(key, (waiters.get(key) ?? new Set()).add(waiter))
        if (signal.aborted) giveUp()
        // It may have settled between accepting and waiting.
        else void lookSafely([key])
      })
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      for (const group of waiters.values()) for (const waiter of group) waiter.end({ kind: 'open' })
    },
  }
}

function readRecord(
  journal: Journal,
  waiter: Waiter,
  [changed, state]: (string | null)[],
  reply: string | null,
): Waited | undefined {
  // A later generation with the same payload answers the earlier one's callers too.
  if (Number(changed) > waiter.generation) return { kind: 'superseded' }
  if (!settledStates.some((settled) => settled === state)) return undefined
  return { kind: 'settled', reply: openReply(journal, waiter.key, reply) }
}
