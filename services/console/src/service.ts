import { registerInstallationMetrics } from '@tieline/journal/installation-metrics'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { listen } from '@tieline/runtime/http-listener'
import type { Installation } from '@tieline/runtime/installation'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import { connectProducer } from '@tieline/runtime/redis'
import { openJournal } from '@tieline/worker-service/open-journal'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { requireRedisUrl } from '@tieline/worker-service/read-settings'
import { createConsoleApp } from './console-app.ts'

export interface Console extends AsyncDisposable {
  readonly url: string
}

/** Bull Board cleans and retries whole sets in one command, so a command may take its time. */
const commandTimeoutMs = 10_000

/** No request of the console carries more than a few bytes. */
const requestTimeoutMs = 30_000

/**
 * Starts the operators' web console: Bull Board on every queue, behind users and roles.
 * @throws ConfigurationError when no user is configured or REDIS_URL is missing
 */
export async function startConsole(settings: ServiceSettings, { logger }: { logger?: Logger } = {}): Promise<Console> {
  const { environment, installation } = settings
  const { users, publicUrl, tls, behindProxy } = installation.console
  if (users.length === 0) throw noUsers()
  const log = logger ?? createLogger({ service: 'console', level: environment.logLevel })
  await using parts = new AsyncDisposableStack()

  // One that cannot be reached yet is waited for, as every service does.
  const readyWithinMs = Number.POSITIVE_INFINITY
  const redis = await connectProducer(requireRedisUrl(settings), log, { commandTimeoutMs, readyWithinMs })
  parts.defer(() => redis.disconnect())
  const journal = parts.use(await openJournal(settings, redis, log))
  const app = createConsoleApp({
    journal,
    users,
    publicUrl,
    secure: tls !== undefined || (behindProxy && !publicUrl?.startsWith('http:')),
    installation: installation.installation,
    logger: log,
  })
  const register = createRegister()
  registerInstallationMetrics(register, { journal: () => journal, transfers: () => installation.deviceScore })
  const ready = async () => (await redis.ping()) === 'PONG'
  parts.use(
    await startOperationsListener({
      port: environment.metricsPort,
      host: environment.metricsHost,
      register,
      ready,
      logger: log,
    }),
  )
  if (tls === undefined && !behindProxy) {
    log.warn('The console has neither tls nor behindProxy, so it listens on loopback only')
  }
  const listener = parts.use(
    await listen(app, {
      port: environment.consolePort,
      portVariable: 'CONSOLE_PORT',
      host: tls === undefined && !behindProxy ? '127.0.0.1' : '0.0.0.0',
      ...(tls !== undefined && { tls: tlsFiles(tls) }),
      requestTimeoutMs,
      logger: log,
    }),
  )
  log.info({ url: listener.url }, `Console on ${listener.url}`)
  const running = parts.move()
  return { url: listener.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const noUsers = () =>
  new ConfigurationError('The console cannot start', [
    {
      path: 'console.users',
      rule: 'needs at least one user; `pnpm tieline password hash` makes the passwordHash, role is viewer, operator or administrator',
    },
  ])

const tlsFiles = ({ certFile, keyFile, clientCaFile }: NonNullable<Installation['console']['tls']>) => ({
  certFile,
  keyFile,
  ...(clientCaFile !== undefined && { clientCaFile }),
})
