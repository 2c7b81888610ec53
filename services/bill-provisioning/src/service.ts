import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { type ListenOptions, listen } from '@tieline/runtime/http-listener'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import type { BillsSection } from '@tieline/targets/bill-files'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { createApp } from './app.ts'
import { createAuthorize } from './authorize.ts'
import { openBillSource } from './bill-source.ts'
import { createBills } from './bills.ts'
import { createDelivery, type DeliveryLimits } from './delivery.ts'
import { createHealth } from './health.ts'
import { createBillMetrics } from './metrics.ts'
import { warnIfOpenToAll } from './open-to-all.ts'
import { createReport } from './report.ts'

/** Limits that tests move. */
export interface BillTuning extends Partial<DeliveryLimits> {
  readonly logger?: Logger
  /** How many bills are read from the source at a time. */
  readonly readsAtOnce?: number
  /**
   * How long to go on serving after the order to stop, while the health check says 503; default 15 s, in which a balancer that
   * asks every 10 s has asked and been answered. Without `tls` and `behindProxy` there is no balancer, and no such time.
   */
  readonly graceMs?: number
  /** How long an answer of the source to "are you there?" holds; default 5 s. */
  readonly healthKeptMs?: number
  /** How often the TLS files are looked at. */
  readonly tlsReloadMs?: number
}

export interface BillProvisioning extends AsyncDisposable {
  readonly url: string
  /** Where metrics and health are. */
  readonly operationsUrl: string
}

/** A caller waits for at least 60 s until an answer has ended. */
const usualLimits = { transferMsMax: 60_000, inFlightMax: 1_000 } as const satisfies Partial<DeliveryLimits>
const usualGraceMs = 15_000

/** Enough for the grace, for a download that begins at its end (`firstByteWithinS` is 15 at most), and for what is closed then. */
export const shutdownMs = usualGraceMs + 15_000 + usualLimits.transferMsMax + 5_000

/** A request carries no body. */
const requestTimeoutMs = 30_000

/**
 * Starts the bill download. It also starts while its source is away, and answers 500, its health check 503, until that comes.
 * Disposal lets a balancer notice, then lets downloads end.
 * @throws ConfigurationError when there is no section `bills`, or its source or names cannot be used
 * @throws Error when a port is taken or TLS files cannot be used
 */
export async function startBillProvisioning(
  { environment, installation }: ServiceSettings,
  tuning: BillTuning = {},
): Promise<BillProvisioning> {
  const { bills: section, connections } = installation
  if (section === undefined) throw noBills()
  const limits = { ...usualLimits, firstByteMsMax: section.firstByteWithinS * 1_000, ...tuning }
  const logger = tuning.logger ?? createLogger({ service: 'bill-provisioning', level: environment.logLevel })
  const register = createRegister()
  await using parts = new AsyncDisposableStack()

  const source = parts.use(await openBillSource(section, connections, logger))
  await warnIfOpenToAll(section.source, logger)
  const drain = createDrain(isOpen(section) ? (tuning.graceMs ?? usualGraceMs) : 0, logger)
  const reachable = createHealth({
    // There is no such bill; but that can be said only by a source that is there, and has the right place.
    probe: () => source.find('healthcheck'),
    keptMs: tuning.healthKeptMs,
    onChange: createReachableLog(logger),
  })
  const healthy = async () => !drain.begun() && (await reachable())
  const operations = parts.use(
    await startOperationsListener({
      port: environment.metricsPort,
      host: environment.metricsHost,
      register,
      ready: healthy,
      readyWithinMs: limits.firstByteMsMax,
      logger,
    }),
  )
  const { deliver, inFlight } = createDelivery(
    createBills(source, { ...section, readsAtOnce: tuning.readsAtOnce }),
    limits,
  )
  const report = createReport(logger, createBillMetrics(register, inFlight))
  const authorize = createAuthorize(section.basic)
  const app = createApp({ deliver, healthy, authorize, draining: drain.begun, report })
  const listener = parts.use(
    await listen(app, {
      port: environment.billsPort,
      portVariable: 'BILLS_PORT',
      ...whereToListen(section, logger),
      requestTimeoutMs,
      drainWithinMs: limits.firstByteMsMax + limits.transferMsMax,
      logger,
      ...(tuning.tlsReloadMs !== undefined && { tlsReloadMs: tuning.tlsReloadMs }),
    }),
  )
  // First of all when stopping.
  parts.use(drain)

  logger.info({ url: listener.url }, `Serving bills on ${listener.url}`)
  const running = parts.move()
  return { url: listener.url, operationsUrl: operations.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Its disposal takes as long as a balancer needs to find out that it shall choose another instance. */
function createDrain(graceMs: number, logger: Logger): { begun: () => boolean } & AsyncDisposable {
  let begun = false
  return {
    begun: () => begun,
    async [Symbol.asyncDispose]() {
      begun = true
      logger.info({ graceMs }, `The health check says no from now on; serving goes on for ${graceMs} ms`)
      await delay(graceMs)
    },
  }
}

/** Bills are private, so without TLS, ours or a balancer's, nobody outside this machine is listened to. */
function whereToListen(section: BillsSection, logger: Logger): Pick<ListenOptions, 'host' | 'tls'> {
  if (!isOpen(section)) {
    logger.warn('Neither bills.tls nor bills.behindProxy is set: only this machine is listened to')
    return { host: '127.0.0.1' }
  }
  if (section.tls === undefined) return { host: '0.0.0.0' }
  const { certFile, keyFile, clientCaFile } = section.tls
  return { host: '0.0.0.0', tls: { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) } }
}

const isOpen = ({ tls, behindProxy }: BillsSection): boolean => tls !== undefined || behindProxy

const createReachableLog = (logger: Logger) => (reachable: boolean, err: unknown) => {
  if (reachable) logger.info('The source of the bills can be reached again')
  else logger.warn({ err }, 'The source of the bills cannot be reached')
}

const noBills = () =>
  new ConfigurationError('The bill download cannot start', [
    { path: 'bills', rule: 'is required; it says where the bills are' },
  ])
