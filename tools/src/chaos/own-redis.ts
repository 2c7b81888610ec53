import { setTimeout as delay } from 'node:timers/promises'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisProcess } from '@tieline/runtime/redis-process'
import { ensureRedisProgram } from '@tieline/testkit/built-redis'

export interface OwnRedis extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Kills it, and starts it again on its port and its data; resolves when it is back. One at a time. */
  crash(downMs: number): Promise<void>
  /** Lets it stand still for so long. */
  stop(stoppedMs: number): Promise<void>
}

/** A Redis of this run that keeps what it confirmed when it is killed. */
export async function startOwnRedis(dataDir: string): Promise<OwnRedis> {
  await ensureRedisProgram()
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
    port: first.port,
    crash: (downMs) => (crashing = crash(downMs)),
    async stop(stoppedMs) {
      const stopped = running
      await stopped.kill('SIGSTOP')
      await delay(stoppedMs)
      await stopped.kill('SIGCONT')
    },
    async [Symbol.asyncDispose]() {
      await crashing?.catch(() => undefined)
      await running[Symbol.asyncDispose]()
    },
  }
}
