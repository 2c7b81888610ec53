import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedRedis } from '@tieline/runtime/embedded-redis'
import { createLogger } from '@tieline/runtime/logger'
import { findRedisBinary } from '@tieline/runtime/redis-binary'
import { startRedisContainer } from '../redis-container.ts'
import { startCluster } from './cluster.ts'
import type { ServerProgram } from './redis-nodes.ts'
import { startSentinels } from './sentinels.ts'
import { findValkey, putOnPath } from './valkey.ts'

/** The forms of Redis that Tieline runs on. */
export const redisForms = ['standalone', 'sentinel', 'cluster', 'valkey'] as const
export type RedisForm = (typeof redisForms)[number]

export const isRedisForm = (name: string): name is RedisForm => redisForms.some((form) => form === name)

/** Starts a private Redis of one form on 127.0.0.1, in processes of its own that keep nothing when they are stopped. */
export async function startRedisForm(form: RedisForm): Promise<{ readonly url: string } & AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), `tieline-${form}-`))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const { url, ...started } = await starters[form](directory)
  parts.use(started)
  const owned = parts.move()
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/**
 * The program that a form runs on; throws one error that names every way to it and why it did not work.
 * A standalone Redis may also run in a container, but tests that start servers of their own need the program.
 */
export const programOf = (form: RedisForm): Promise<ServerProgram> =>
  form === 'valkey' ? findValkey() : findRedisBinary()

type Start = (directory: string) => Promise<{ readonly url: string } & AsyncDisposable>

const embedded: Start = (directory) =>
  startEmbeddedRedis({
    dataDir: join(directory, 'data'),
    logger: createLogger({ service: 'test', level: 'warn' }),
    containers: startRedisContainer,
  })

/** So long that no master is replaced, however busy the machine is. */
const noticeAfterMs = 60_000

const starters: Readonly<Record<RedisForm, Start>> = {
  standalone: embedded,
  sentinel: async (directory) => startSentinels(await programOf('sentinel'), directory, { replicas: 1, noticeAfterMs }),
  cluster: async (directory) => startCluster(await programOf('cluster'), directory, { replicas: 0, noticeAfterMs }),
  async valkey(directory) {
    await putOnPath(await programOf('valkey'), join(directory, 'bin'))
    return embedded(directory)
  },
}
