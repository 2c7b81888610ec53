import { rm, writeFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Environment } from '@tieline/runtime/environment'
import { startLastingRedis } from '@tieline/runtime/lasting-redis'
import { type RunningService, runService } from '@tieline/runtime/lifecycle'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { readSettings } from '@tieline/worker-service/read-settings'
import { startServiceProcesses } from './service-processes.ts'

/**
 * Runs all services of one installation: each in a process of its own, on the Redis of REDIS_URL or on an embedded one in
 * `DATA_DIR/redis`. METRICS_PORT, unless 0, is the first service's; the others follow. Fails when a service cannot start for a
 * reason that only a person can mend.
 */
async function startInstallation(): Promise<RunningService> {
  const { environment, installation } = await readSettings(process.env)
  const logger = createLogger({ service: 'start', level: environment.logLevel })
  await using parts = new AsyncDisposableStack()

  const redisUrl = environment.redisUrl ?? (await startOwnRedis(parts, environment, logger))
  if (installation.console.users.length === 0) logger.warn('Section console names no users: the console is not started')
  const names = [
    'enrollment',
    'events',
    ...(installation.deviceScore.length === 0 ? [] : ['device-score']),
    'notifier',
    'ingress',
    ...(installation.console.users.length === 0 ? [] : ['console']),
    ...(installation.gateway === undefined ? [] : ['gateway']),
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
  const { promise: failed, resolve: onFailure } = Promise.withResolvers<ConfigurationError>()
  parts.use(
    startServiceProcesses(services, {
      onCrash: (name, how, againInMs) =>
        logger.error({ name, how, againInMs }, `${name} ended (${how}); starting it again`),
      onCannotStart: (why) => onFailure(new ConfigurationError(why, [])),
    }),
  )
  const owned = parts.move()
  return { failed, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Its address goes to a file, so that the command line finds it. */
async function startOwnRedis(parts: AsyncDisposableStack, environment: Environment, logger: Logger): Promise<string> {
  const dataDir = join(environment.dataDir, 'redis')
  const addressFile = join(dataDir, 'url')
  let written = false
  parts.defer(async () => {
    // Not that of another `start`, for whose end this one waited.
    if (written) await rm(addressFile, { force: true })
  })
  const maxMemory = environment.redisMaxMemory ?? String(Math.floor(machineBytes() / 2))
  const { url } = parts.use(
    await startLastingRedis({
      dataDir,
      logger,
      maxMemory,
      // Whenever it runs: while it could not, there may have been no room for the file either.
      onRunning: (running) => {
        written = true
        writeAddress(addressFile, running).catch((error: unknown) =>
          logger.warn({ err: error }, `Could not write ${addressFile}: the command line needs REDIS_URL`),
        )
      },
    }),
  )
  return url
}

async function writeAddress(file: string, url: string): Promise<void> {
  // One of an earlier version is open to everybody.
  await rm(file, { force: true })
  await writeFile(file, url, { mode: 0o600 })
}

/** Memory of the machine, or of the container that this runs in. */
function machineBytes(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

// Nothing that is written here or by the services is for other users of the machine.
process.umask(0o077)

await runService(startInstallation, { shutdownMs: 100_000, startingMs: 100_000 })
