import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedRedis } from '@tieline/runtime/embedded-redis'
import { runService } from '@tieline/runtime/lifecycle'
import { createLogger } from '@tieline/runtime/logger'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startServiceProcesses } from './service-processes.ts'

/**
 * Runs all services of one installation: each in a process of its own, on the Redis of REDIS_URL or on an embedded one in
 * `DATA_DIR/redis`. METRICS_PORT, unless 0, is the first service's; the others follow.
 */
async function startInstallation(): Promise<AsyncDisposable> {
  const { environment, installation } = await readSettings(process.env)
  const logger = createLogger({ service: 'start', level: environment.logLevel })
  await using parts = new AsyncDisposableStack()

  const redisUrl = environment.redisUrl ?? (await startOwnRedis(parts, environment.dataDir, logger))
  if (installation.console.users.length === 0) logger.warn('Section console names no users: the console is not started')
  const names = [
    'enrollment',
    'events',
    ...(installation.deviceScore.length === 0 ? [] : ['device-score']),
    'notifier',
    'ingress',
    ...(installation.console.users.length === 0 ? [] : ['console']),
    ...(installation.bills === undefined ? [] : ['bill-provisioning']),
  ]
  const services = names.map((name, i) => ({
    name,
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      METRICS_PORT: String(environment.metricsPort === 0 ? 0 : environment.metricsPort + i),
    },
  }))
  parts.use(
    startServiceProcesses(services, {
      onCrash: (name, how, againInMs) =>
        logger.error({ name, how, againInMs }, `${name} ended (${how}); starting it again`),
    }),
  )
  return parts.move()
}

/** Its address goes to a file, so that the command line finds it. A Redis that ends by itself is started again at that address. */
async function startOwnRedis(
  parts: AsyncDisposableStack,
  dataDir: string,
  logger: ReturnType<typeof createLogger>,
): Promise<string> {
  const directory = join(dataDir, 'redis')
  await mkdir(directory, { recursive: true })
  let redis = await startEmbeddedRedis({ dataDir: directory, logger })
  const { url } = redis
  let stopping = false
  parts.defer(() => {
    stopping = true
    return redis[Symbol.asyncDispose]()
  })
  const addressFile = join(directory, 'url')
  await writeFile(addressFile, url)
  parts.defer(() => rm(addressFile, { force: true }))

  const keepRunning = async () => {
    for (;;) {
      await redis.ended
      if (stopping || redis.ended === undefined) return
      logger.error({ againInMs: redisPauseMs }, 'The embedded Redis ended; starting it again')
      await delay(redisPauseMs)
      redis = await startEmbeddedRedis({ dataDir: directory, logger, port: Number(new URL(url).port) })
    }
  }
  // One that cannot be started again ends everything: the error is not caught, so `runService` tells it.
  void keepRunning()
  return url
}

const redisPauseMs = 1_000

await runService(startInstallation, { shutdownMs: 100_000 })
