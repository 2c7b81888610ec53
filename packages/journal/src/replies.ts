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

/** What a channel tells of a message, see `publish` in `kernel/lua/library/record.lua`. */
interface News {
  readonly generation: number
  readonly changed: number
  readonly ended: boolean
  /** Sealed; empty when there is none. */
  readonly reply: string
}

/** Between the answer to an acceptance and the wait for the message. */
const rememberedMs = 1_000

/**
 * Wakes waiting callers. News of ended messages come over one pub/sub channel, with their replies; the journal's record is the truth,
 * and a look at all awaited records every 5 s and after a reconnect makes up for news that got lost.
 * @param subscriber a connection of its own, see `connectSubscriber`
 */
export async function startReplyDesk(journal: Journal, subscriber: RedisConnection): Promise<ReplyDesk> {
  const waiters = new Map<string, Set<Waiter>>()
  /** News of the last seconds: a message may end before somebody waits for it. */
  let recent = new Map<string, News>()
  let older = new Map<string, News>()
  let listening = false

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
        const [changed, state] = fields as (string | null)[]
        const ended = settledStates.some((settled) => settled === state)
        // The record is of the present generation: it is as new as anybody waits for.
        endSafely(waiter, {
          generation: waiter.generation,
          changed: Number(changed),
          ended,
          reply: (reply as string) ?? '',
        })
      }
    })
  }
  /** One reply that cannot be read must not keep the others from their callers. */
  const endSafely = (waiter: Waiter, news: News) => {
    try {
      const waited = readNews(journal, waiter, news)
      if (waited) waiter.end(waited)
    } catch (error) {
      journal.logger.error({ err: error, key: waiter.key }, 'A reply cannot be read; its caller goes away without it')
    }
  }
  const lookSafely = (keys: readonly string[]) =>
    look(keys).catch((error) => journal.logger.warn({ err: error }, 'Could not read awaited replies; will look again'))

  subscriber.on('message', (_channel, text) => {
    const { key, news } = parseNews(text)
    // A worker of the version before tells no more than the key.
    if (news === undefined) return void (waiters.has(key) && lookSafely([key]))
    recent.set(key, news)
    for (const waiter of waiters.get(key) ?? []) endSafely(waiter, news)
  })
  const forgetting = setInterval(() => {
    older = recent
    recent = new Map()
  }, rememberedMs)
  const lookAtAll = () => {
    listening = true
    return lookSafely([...waiters.keys()])
  }
  subscriber.on('close', () => {
    listening = false
  })
  const subscribe = () =>
    subscriber.subscribe(`${journal.base}:news`).then(lookAtAll, (error: unknown) =>
      // Another outage: its end is another `ready`.
      journal.logger.warn({ err: error }, 'Could not subscribe to news of replies'),
    )
  subscriber.on('ready', () => void subscribe())
  if (subscriber.status === 'ready') void subscribe()
  const timer = setInterval(() => void lookSafely([...waiters.keys()]), lookEveryMs)

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
        const news = recent.get(key) ?? older.get(key)
        if (news) endSafely(waiter, news)
        if (!listening) void lookSafely([key])
      })
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      clearInterval(forgetting)
      for (const group of waiters.values()) for (const waiter of group) waiter.end({ kind: 'open' })
    },
  }
}

/** `<key>`, or `<key> <generation> <changed> <ended> <reply>`. */
function parseNews(text: string): { readonly key: string; readonly news?: News } {
  const [key = '', generation, changed, ended, ...reply] = text.split(' ')
  if (generation === undefined) return { key }
  const told = {
    generation: Number(generation),
    changed: Number(changed),
    ended: ended === '1',
    reply: reply.join(' '),
  }
  return { key, news: told }
}

function readNews(journal: Journal, waiter: Waiter, { generation, changed, ended, reply }: News): Waited | undefined {
  // A later generation with the same payload answers the earlier one's callers too.
  if (changed > waiter.generation) return { kind: 'superseded' }
  if (!ended || generation < waiter.generation) return undefined
  return { kind: 'settled', reply: openReply(journal, waiter.key, reply) }
}
