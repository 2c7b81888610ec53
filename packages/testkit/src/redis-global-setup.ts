import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedRedis } from '@tieline/runtime/embedded-redis'
import { createLogger } from '@tieline/runtime/logger'
import type { TestProject } from 'vitest/node'
import { startRedisContainer } from './redis-container.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Redis for the whole run; every test takes an installation name of its own on it. */
    redisUrl: string
  }
}

/** Starts one private Redis for the run, unless REDIS_URL names one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.REDIS_URL
  if (given) {
    project.provide('redisUrl', given)
    return async () => {}
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'tieline-test-redis-'))
  const logger = createLogger({ service: 'test', level: 'warn' })
  const redis = await startEmbeddedRedis({ dataDir, logger, containers: startRedisContainer })
  project.provide('redisUrl', redis.url)
  return async () => {
    await redis[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  }
}
