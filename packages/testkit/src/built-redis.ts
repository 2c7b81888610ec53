import { join } from 'node:path'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { putOnPath } from './redis-forms/valkey.ts'

const directory = join(import.meta.dirname, '../../../.cache/redis/built')

/**
 * Makes sure that tests find a `redis-server` program: on a machine that offers none, one is built from source and put on the
 * PATH of this process. Throws when that fails too.
 */
export async function ensureRedisProgram(): Promise<void> {
  try {
    await findRedisBinary()
  } catch (cause) {
    const { RedisBinary } = await import('redis-memory-server')
    const binary = await RedisBinary.getPath({ downloadDir: directory }).catch((error: unknown) => {
      const reasons = [cause, error].map((reason) => (reason instanceof Error ? reason.message : 'failed'))
      throw new Error(`${reasons[0]} Building one from source failed: ${reasons[1]}`, { cause: error })
    })
    await putOnPath({ binary, env: process.env }, join(directory, 'bin'))
  }
}
