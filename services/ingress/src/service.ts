import { buildOpenApi } from '@tieline/contracts/openapi'
import { type Listener, listen } from '@tieline/runtime/http-listener'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createApp } from './app.ts'
import { createAuthenticate } from './authenticate.ts'
import { createIngressMetrics } from './metrics.ts'
import { createReceive } from './receive.ts'
import { type StoreTuning, startStore } from './store.ts'

/** Times that tests shorten; nothing here changes what is promised. */
export interface IngressTuning extends StoreTuning {
  readonly logger?: Logger
  /** Longest pause between two pieces of a body; default 30 s. */
  readonly idleMs?: number
  /** How long requests in flight may take when the ingress stops; default 10 s. */
  readonly drainWithinMs?: number
}

export interface Ingress extends AsyncDisposable {
  /** Where messages are posted to. */
  readonly url: string
  /** Where metrics, health and the description of the interface are. */
  readonly operationsUrl: string
}

/**
 * Starts the ingress: it takes messages over HTTP, makes them durable, and answers. It also starts while Redis is away, and
 * refuses with 503 until Redis comes.
 * @throws ConfigurationError when REDIS_URL is missing or a key set file cannot be used
 * @throws Error when a port is taken, TLS files cannot be used, or Redis' settings would lose accepted messages
 */
export async function startIngress(settings: ServiceSettings, tuning: IngressTuning = {}): Promise<Ingress> {
  const { environment, installation } = settings
  const { maxJsonBytes, maxFileBytes } = installation.ingress
  const logger = tuning.logger ?? createLogger({ service: 'ingress', level: environment.logLevel })
  const register = new Registry()
  collectDefaultMetrics({ register })
  await using parts = new AsyncDisposableStack()

  const authenticate = await createAuthenticate(installation.ingress.clients)
  const store = parts.use(await startStore(settings, logger, tuning))
  const ready = () => store.ready()
  const operations = parts.use(
    await startOperationsListener({
      port: environment.metricsPort,
      host: environment.metricsHost,
      register,
      ready,
      openapi: buildOpenApi(),
      logger,
    }),
  )
  const limits = { maxJsonBytes, maxFileBytes, idleMs: tuning.idleMs ?? 30_000 }
  const receive = createReceive({ installation, authenticate, store, limits })
  const app = createApp({ receive, store, metrics: createIngressMetrics(register), logger })
  const listener = parts.use(await listenAsConfigured(app, settings, logger, tuning))
  // First of all when stopping: callers that wait are let go, so that the listener can drain.
  parts.defer(() => store.stop())

  logger.info({ url: listener.url }, `Taking messages on ${listener.url}`)
  const running = parts.move()
  return { url: listener.url, operationsUrl: operations.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Credentials come with every request, so without TLS, ours or a balancer's, nobody outside this machine is listened to. */
function listenAsConfigured(
  app: Parameters<typeof listen>[0],
  { environment, installation }: ServiceSettings,
  logger: Logger,
  { drainWithinMs }: IngressTuning,
): Promise<Listener> {
  const { tls, behindProxy } = installation.ingress
  const open = tls !== undefined || behindProxy
  if (!open) logger.warn('Neither ingress.tls nor ingress.behindProxy is set: only this machine is listened to')
  return listen(app, {
    port: environment.ingressPort,
    host: open ? '0.0.0.0' : '127.0.0.1',
    logger,
    ...(tls && {
      tls: {
        certFile: tls.certFile,
        keyFile: tls.keyFile,
        ...(tls.clientCaFile !== undefined && { clientCaFile: tls.clientCaFile }),
      },
    }),
    ...(drainWithinMs !== undefined && { drainWithinMs }),
  })
}
