import type { TestProject } from 'vitest/node'
import { ensureRedisProgram } from './built-redis.ts'
import { isRedisForm, redisForms, startRedisForm } from './redis-forms/redis-form.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis for the whole run; every test takes an installation name of its own on it. */
    redisUrl: string
  }
}

/**
 * Starts one private Redis for the run: of the form that TIELINE_TEST_REDIS names, else a single one, unless REDIS_URL
 * names one that is there.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { REDIS_URL: given, TIELINE_TEST_REDIS: form = '' } = process.env
  if (form !== '' && !isRedisForm(form)) throw new Error(`TIELINE_TEST_REDIS is none of ${redisForms.join(', ')}`)
  // Without one the Redis of the run may still be a container, or one that is there; but some tests start servers themselves.
  await ensureRedisProgram().catch((error: unknown) => console.warn(error instanceof Error ? error.message : error))
  if (form === '' && given) {
    project.provide('redisUrl', given)
    return async () => {}
  }
  const redis = await startRedisForm(isRedisForm(form) ? form : 'standalone')
  project.provide('redisUrl', redis.url)
  return async () => {
    await redis[Symbol.asyncDispose]()
  }
}
