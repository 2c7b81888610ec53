import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@tieline/runtime/redis-process'
import type { DacsSimulator } from '@tieline/simulators/dacs'
import type { DermsSimulator } from '@tieline/simulators/derms'
import { startMailbox } from '@tieline/simulators/mailbox'
import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, writeInstallation } from '@tieline/testkit/installation'
import { type OwnRedis, startOwnRedis } from './own-redis.ts'
import { createProcess, type KillableProcess } from './processes.ts'

export const processNames = ['ingress', 'enrollment-1', 'enrollment-2', 'events-1', 'events-2', 'notifier'] as const
export type ProcessName = (typeof processNames)[number]

export const workerNames = processNames.filter((name) => /^(enrollment|events)-/.test(name))

export interface World extends AsyncDisposable {
  readonly ingressUrl: string
  readonly dacs: DacsSimulator
  readonly derms: DermsSimulator
  readonly redis: OwnRedis
  readonly processes: Readonly<Record<ProcessName, KillableProcess>>
  /** Where the metrics and the health of a process are. */
  readonly operationsUrl: (name: ProcessName) => string
  /** The environment that every service has. */
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
  ready(): Promise<void>
}

/** So that some call is always under way when a process is killed or stopped. */
export const usualLatencyMs = 120

/** Callers are answered provisionally, and flows give up, within the time of a run. */
const flows = {
  'enrollment-request': { retryForS: 6, replyWithinS: 2 },
  'enrollment-sync': { retryForS: 6, replyWithinS: 2 },
  'device-status-check': { retryForS: 6, replyWithinS: 2 },
  'device-status-ack': { retryForS: 6, replyWithinS: 2 },
  'stage-status': { replyWithinS: 2 },
}

/** Redis and every service as processes of their own, the simulators in this process, all on this machine alone. */
export async function startWorld(logFile: string): Promise<World> {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-chaos-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const redis = parts.use(await startOwnRedis(join(directory, 'redis')))
  const dacs = parts.use(await startDacsSimulator({ auth: { basic: credentials.dacsTarget }, acceptUnknown: true }))
  const derms = parts.use(await startDermsSimulator({ auth: { basic: credentials.dermsTarget } }))
  const mailbox = parts.use(await startMailbox())
  for (const { simulator } of [dacs, derms]) simulator.latency({ ms: usualLatencyMs })
  const configFile = join(directory, 'tieline.yaml')
  const farSides = { dacsUrl: dacs.url, dermsUrl: derms.url, smtpUrl: mailbox.url }
  const changes = { sections: { flows }, connection: { timeoutMs: 1_500 } }
  await writeFile(configFile, await writeInstallation('chaos', directory, farSides, changes))

  const ingressPort = await freePort()
  const metricsPorts = new Map<ProcessName, number>()
  for (const name of processNames) metricsPorts.set(name, await freePort())
  const env = {
    ...process.env,
    REDIS_URL: redis.url,
    TIELINE_CONFIG: configFile,
    DATA_DIR: directory,
    INGRESS_PORT: String(ingressPort),
    LOG_LEVEL: 'info',
    TIELINE_PAYLOAD_KEYS: `chaos:${Buffer.alloc(32, 3).toString('base64')}`,
  }
  const startOne = (name: ProcessName): KillableProcess => {
    const own = { ...env, METRICS_PORT: String(metricsPorts.get(name)) }
    const started = parts.use(createProcess(name.split('-')[0] ?? name, own, logFile))
    started.start()
    return started
  }
  const processes = Object.fromEntries(processNames.map((name) => [name, startOne(name)])) as Record<
    ProcessName,
    KillableProcess
  >
  const operationsUrl = (name: ProcessName) => `http://127.0.0.1:${metricsPorts.get(name)}`
  const owned = parts.move()
  return {
    ingressUrl: `http://127.0.0.1:${ingressPort}`,
    dacs: dacs.simulator,
    derms: derms.simulator,
    redis,
    processes,
    operationsUrl,
    env,
    logFile,
    async ready() {
      for (const name of processNames) {
        await eventually(async () => (await fetch(`${operationsUrl(name)}/health/ready`)).ok)
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
