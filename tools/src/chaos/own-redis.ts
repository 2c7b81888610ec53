import { setTimeout as delay } from 'node:timers/promises'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisProcess } from '@tieline/runtime/redis-process'

export interface OwnRedis extends AsyncDisposable {
  readonly url: string
  /** Kills it, and starts it again on its port and its data. Undefined, and nothing is done, while it is down already. */
  crash(downMs: number): Promise<void> | undefined
}

/** A Redis of this run that keeps what it confirmed when it is killed. */
export async function startOwnRedis(dataDir: string): Promise<OwnRedis> {
  const { binary, env } = await findRedisBinary()
  const first = await startRedisProcess({ binary, env, dataDir })
  let running = first
  let crashing: Promise<void> | undefined
  const crash = async (downMs: number) => {
    await running.kill('SIGKILL')
    await delay(downMs)
    running = await startRedisProcess({ binary, env, dataDir, port: first.port })
  }
  return {
    url: first.url,
    crash(downMs) {
      if (crashing) return undefined
      crashing = crash(downMs).finally(() => {
        crashing = undefined
      })
      return crashing
    },
    async [Symbol.asyncDispose]() {
      await crashing?.catch(() => undefined)
      await running[Symbol.asyncDispose]()
    },
  }
}
