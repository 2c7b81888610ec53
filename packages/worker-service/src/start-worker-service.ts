import { registerInstallationMetrics } from '@tieline/journal/installation-metrics'
import type { Journal } from '@tieline/journal/journal'
import type { Schedule } from '@tieline/journal/transfers/schedules'
import type { Processor } from '@tieline/journal/types'
import { startWorkers, type WorkerOptions } from '@tieline/journal/worker'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { warnings as lookupWarnings } from '@tieline/lookups/warnings'
import { effectiveFlow, type Installation } from '@tieline/runtime/installation'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import { checkRedis, connectWorker, type RedisConnection } from '@tieline/runtime/redis'
import { type Connections, createConnections } from '@tieline/targets/connections'
import type { Registry } from 'prom-client'
import { registerLookupVersion } from './lookup-metrics.ts'
import { createMessageReaders, type OpenMessageReader } from './message-reader.ts'
import { openJournal } from './open-journal.ts'
import { openLookups } from './open-lookups.ts'
import { openServiceTracer } from './open-tracer.ts'
import { requireRedisUrl, type ServiceSettings } from './read-settings.ts'

/** What processors are made from. */
export interface WorkerDeps {
  readonly connections: Connections
  readonly installation: Installation
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** For what only these processors count. */
  readonly register: Registry
  /** Reads messages as the installation wants them read. */
  readonly openReader: OpenMessageReader
}

export interface BesideDeps {
  readonly journal: Journal
  /** A connection that waits for Redis. */
  readonly redis: RedisConnection
  readonly logger: Logger
  readonly register: Registry
}

/** Times that tests shorten; nothing here changes what is promised. */
export type WorkerTuning = Pick<
  WorkerOptions<LookupSnapshot>,
  'concurrency' | 'fetchers' | 'lockMs' | 'stalledCheckMs' | 'sweepEveryMs' | 'drainMs'
> & { readonly pauseMs?: number; readonly logger?: Logger; readonly clock?: () => number }

export interface WorkerServiceOptions {
  /** Name of the service, as it stands in its log lines. */
  readonly service: string
  readonly settings: ServiceSettings
  /** Called once; disposables made here belong to the processors' own service. */
  readonly processors: (deps: WorkerDeps) => readonly Processor<LookupSnapshot>[]
  /** What else the service runs; it starts after the workers and ends before them. */
  readonly beside?: (deps: BesideDeps) => Promise<AsyncDisposable>
  /** Default: those of the settings. */
  readonly transfers?: () => readonly Schedule[]
  readonly tuning?: WorkerTuning | undefined
}

/**
 * Starts a worker service: Redis, lookups, connections, journal, one worker per flow, and the listener for metrics and
 * health. What a service adds of its own are its processors.
 * @throws ConfigurationError when REDIS_URL is missing or a connection cannot be set up
 */
export async function startWorkerService({
  service,
  settings,
  processors,
  beside,
  transfers = () => settings.installation.deviceScore,
  tuning = {},
}: WorkerServiceOptions): Promise<AsyncDisposable> {
  const { environment, installation } = settings
  const logger = tuning.logger ?? createLogger({ service, level: environment.logLevel })
  const register = createRegister()
  await using parts = new AsyncDisposableStack()

  const tracer = parts.use(await openServiceTracer(service, settings, logger))
  let started = false
  const redis = connectWorker(requireRedisUrl(settings), logger)
  parts.defer(() => redis.disconnect())
  const redisCheck = parts.use(await checkRedis(redis, { allowVolatile: environment.allowVolatileRedis, logger }))
  const connections = parts.use(
    await createConnections(installation.connections, { logger, metrics: register, tracer, pauseMs: tuning.pauseMs }),
  )
  const lookups = parts.use(await openLookups(settings, redis, logger))
  for (const warning of lookupWarnings(lookups.snapshot(), lookups.rows)) logger.warn(warning)
  const journal = parts.use(await openJournal(settings, redis, logger, { clock: tuning.clock, tracer }))
  registerLookupVersion(register, () => lookups.snapshot().version)
  registerInstallationMetrics(register, { journal: () => journal, transfers })
  const { clock } = journal
  const openReader = createMessageReaders({ settings: installation.compat, register, logger, clock })
  const deps: WorkerDeps = { connections, installation, logger, clock, register, openReader }
  parts.use(
    await startOperationsListener({
      port: environment.metricsPort,
      host: environment.metricsHost,
      register,
      ready: async () => {
        if (!started) return { ready: false, reason: 'still starting' }
        return { ready: (await redis.ping()) === 'PONG', warnings: redisCheck.warnings }
      },
      logger,
    }),
  )
  parts.use(
    await startWorkers({
      ...tuning,
      journal,
      connection: redis,
      processors: processors(deps),
      snapshot: () => lookups.snapshot(),
      spec: (flow) => effectiveFlow(flow, installation),
      register,
    }),
  )
  if (beside) parts.use(await beside({ journal, redis, logger, register }))
  started = true
  logger.info({ version: lookups.snapshot().version }, `Started ${service}`)
  return parts.move()
}
