import { buildOpenApi } from '@tieline/contracts/openapi'
import { registerInstallationMetrics } from '@tieline/journal/installation-metrics'
import { type Listener, listen } from '@tieline/runtime/http-listener'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import { registerLookupVersion } from '@tieline/worker-service/lookup-metrics'
import { openServiceTracer } from '@tieline/worker-service/open-tracer'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { createApp } from './app.ts'
import { createAuthenticate } from './authenticate.ts'
import { createIngressMetrics } from './metrics.ts'
import { createReceive } from './receive.ts'
import { createRefusalKeeper } from './refusal-keeper.ts'
import { type StoreTuning, startStore } from './store.ts'

/** Times that tests shorten; nothing here changes what is promised. */
export interface IngressTuning extends StoreTuning {
  readonly logger?: Logger
  /** Longest pause between two pieces of a body; default 30 s. */
  readonly idleMs?: number
  /** How long a caller may take until its headers are here; default 20 s. */
  readonly headersTimeoutMs?: number
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
  const register = createRegister()
  await using parts = new AsyncDisposableStack()

  const authenticate = await createAuthenticate(installation.ingress.clients)
  const tracer = parts.use(await openServiceTracer('ingress', settings, logger))
  const store = parts.use(await startStore(settings, logger, { ...tuning, tracer }))
  const ready = () => store.ready()
  const metrics = createIngressMetrics(
    register,
    () => store.accepting(),
    installation.ingress.clients.map(({ name }) => name),
  )
  registerLookupVersion(register, () => store.opened()?.lookups.snapshot().version)
  registerInstallationMetrics(register, {
    journal: () => store.opened()?.journal,
    transfers: () => installation.deviceScore,
  })
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
  const receive = createReceive({ installation, authenticate, store, limits, metrics })
  const refusals = parts.use(
    createRefusalKeeper({
      journal: () => (store.accepting() ? store.opened()?.journal : undefined),
      digestMinutes: installation.mail?.digestMinutes ?? digestMinutesDefault,
    }),
  )
  const app = createApp({ receive, store, metrics, refusals, tracer, logger })
  const listener = parts.use(await listenAsConfigured(app, settings, logger, tuning))
  // First of all when stopping: callers that wait are let go, so that the listener can drain.
  parts.defer(() => store.stop())

  logger.info({ url: listener.url }, `Taking messages on ${listener.url}`)
  const running = parts.move()
  return { url: listener.url, operationsUrl: operations.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Without a section `mail` nobody gets the e-mails, but notifications say what they would have been. */
const digestMinutesDefault = 15

/** Credentials come with every request, so without TLS, ours or a balancer's, nobody outside this machine is listened to. */
function listenAsConfigured(
  app: Parameters<typeof listen>[0],
  { environment, installation }: ServiceSettings,
  logger: Logger,
  { drainWithinMs, headersTimeoutMs }: IngressTuning,
): Promise<Listener> {
  const { tls, behindProxy } = installation.ingress
  const open = tls !== undefined || behindProxy
  if (!open) logger.warn('Neither ingress.tls nor ingress.behindProxy is set: only this machine is listened to')
  return listen(app, {
    port: environment.ingressPort,
    portVariable: 'INGRESS_PORT',
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
    ...(headersTimeoutMs !== undefined && { headersTimeoutMs }),
  })
}
