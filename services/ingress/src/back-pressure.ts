import type { Logger } from '@tieline/runtime/logger'
import { memoryUse, type RedisConnection } from '@tieline/runtime/redis'

/** Share of Redis' memory above which nothing new is taken, so that what was accepted can always be settled. */
const fullShare = 0.8

export interface MemoryWatch extends Disposable {
  /** Redis is so full that no message may be accepted. */
  full(): boolean
}

/** Looks at Redis' memory now and then every `everyMs`. A look that fails changes nothing: accepting fails by itself then. */
export async function startMemoryWatch(
  redis: RedisConnection,
  { everyMs = 1_000, logger }: { everyMs?: number | undefined; logger: Logger },
): Promise<MemoryWatch> {
  let full = false
  const look = async () => {
    const use = await memoryUse(redis).catch(() => undefined)
    if (use === undefined) return
    const isFull = use.maxBytes > 0 && use.usedBytes >= fullShare * use.maxBytes
    if (isFull && !full) logger.error(use, `Redis is more than ${fullShare * 100} % full: messages are refused`)
    if (!isFull && full) logger.info(use, 'Redis has room again: messages are accepted')
    full = isFull
  }
  await look()
  const timer = setInterval(() => void look(), everyMs)
  return { full: () => full, [Symbol.dispose]: () => clearInterval(timer) }
}
