import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@tieline/runtime/redis-process'
import type { DacsSimulator } from '@tieline/simulators/dacs'
import type { DermsSimulator } from '@tieline/simulators/derms'
import { startMailbox } from '@tieline/simulators/mailbox'
import { startSftpServer } from '@tieline/simulators/sftp-server'
import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { type DacsWithOutages, startDacsWithOutages } from '@tieline/testkit/dacs-outages'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, writeInstallation } from '@tieline/testkit/installation'
import { type DisturbedLink, startDisturbedLink } from './disturbed-link.ts'
import { segmentRows } from './event-files.ts'
import { type OwnRedis, startOwnRedis } from './own-redis.ts'
import { type PlantName, plantVariable } from './plant-names.ts'
import { createProcess, type KillableProcess } from './processes.ts'
import { createScorePlaces, deviceScore, type ScorePlaces } from './score-places.ts'

export const processNames = [
  'ingress',
  'enrollment-1',
  'enrollment-2',
  'events-1',
  'events-2',
  'device-score-1',
  'device-score-2',
  'notifier',
] as const
export type ProcessName = (typeof processNames)[number]

export const serviceOf = (name: ProcessName): string => name.replace(/-\d$/, '')

export const workerNames = processNames.filter((name) => name !== 'ingress')

const linkNames = ['redis', 'dacs', 'derms', 'sftp'] as const
export type LinkName = (typeof linkNames)[number]

export interface World extends AsyncDisposable {
  readonly ingressUrl: string
  readonly dacs: DacsSimulator
  readonly derms: DermsSimulator
  /** The DACS of the second site, which nothing disturbs but outages. */
  readonly outage: DacsWithOutages
  readonly places: ScorePlaces
  readonly redis: OwnRedis
  /** The networks between the services and everything else. */
  readonly links: Readonly<Record<LinkName, DisturbedLink>>
  readonly processes: Readonly<Record<ProcessName, KillableProcess>>
  /** Where the metrics and the health of a process are. */
  readonly operationsUrl: (name: ProcessName) => string
  /** The environment that every service has, but for an undisturbed way to Redis. */
  readonly env: NodeJS.ProcessEnv
  ready(): Promise<void>
  /** Whether the process has come up, whatever it thinks of Redis. */
  serves(name: ProcessName): Promise<boolean>
}

export interface WorldOptions {
  readonly logFile: string
  /** Name of a bug to plant, see `plants.ts`. */
  readonly plant?: PlantName | undefined
}

/** So that some call is always under way when a process is killed or stopped. */
export const usualLatencyMs = 120

/** Callers are answered provisionally, and flows give up, within the time of a run. */
const flows = {
  'enrollment-request': { retryForS: 6, replyWithinS: 2 },
  'enrollment-sync': { retryForS: 6, replyWithinS: 2 },
  'device-status-check': { retryForS: 6, replyWithinS: 2 },
  'device-status-ack': { retryForS: 6, replyWithinS: 2 },
  'stage-status': { retryForS: 4, replyWithinS: 2 },
  'event-reservation': { retryForS: 8, segmentRows: segmentRows['event-reservation'] },
  'event-outcome': { retryForS: 8, segmentRows: segmentRows['event-outcome'] },
}

const routing = `DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection
SITE1,DERMS_SITE1,CA,DACS_MAIN
SITE2,DERMS_SITE1,,DACS_OUT
`

const sftpUser = { username: 'tieline', password: 'scores' }

/** Redis and every service as processes of their own, the simulators in this process, all on this machine alone. */
export async function startWorld({ logFile, plant }: WorldOptions): Promise<World> {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-chaos-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const redis = parts.use(await startOwnRedis(join(directory, 'redis')))
  const dacs = parts.use(await startDacsSimulator({ auth: { basic: credentials.dacsTarget }, acceptUnknown: true }))
  const outage = parts.use(await startDacsWithOutages({ auth: { basic: credentials.dacsTarget }, acceptUnknown: true }))
  // Its messages are sent by the callers of the run; it only takes what comes back.
  const derms = parts.use(await startDermsSimulator({ auth: { basic: credentials.dermsTarget }, maxRetries: 0 }))
  const mailbox = parts.use(await startMailbox())
  const places = await createScorePlaces(directory)
  const sftp = parts.use(await startSftpServer({ ...sftpUser, directory: places.directories.gamma }))
  for (const { simulator } of [dacs, derms]) simulator.latency({ ms: usualLatencyMs })

  const link = async (port: number, lateArrivals = false) => parts.use(await startDisturbedLink(port, { lateArrivals }))
  const links = {
    // Whatever comes late from a process that is gone, the journal's scripts must refuse.
    redis: await link(redis.port, true),
    dacs: await link(dacs.port),
    derms: await link(derms.port),
    sftp: await link(sftp.port),
  }
  const farSides = {
    dacsUrl: urlOf(links.dacs),
    dermsUrl: urlOf(links.derms),
    smtpUrl: mailbox.url,
  }
  const configFile = join(directory, 'tieline.yaml')
  const changes = {
    sections: { flows, deviceScore },
    connection: { timeoutMs: 1_500 },
    connections: {
      DACS_OUT: {
        kind: 'dacs',
        baseUrl: `${outage.url}/tenant/test/dac/rest/apis`,
        auth: { basic: credentials.dacsTarget },
        timeoutMs: 1_500,
      },
      SCORES_A: { kind: 'directory', path: places.directories.alpha },
      SCORES_B: { kind: 'directory', path: places.directories.beta },
      SCORES_SFTP: { kind: 'sftp', ...sftpUser, host: sftp.host, port: links.sftp.port, hostKey: sftp.hostKey },
    },
    lookups: {
      Routing: routing,
      ConfigProps: 'PropertyName,Value\nenrollmentSyncAckDelay,0\ndacs.dvcScore.ftp.input.directory,/\n',
    },
  }
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
    // Processes start so often here that compiling them would be most of the work.
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    TIELINE_PAYLOAD_KEYS: `chaos:${Buffer.alloc(32, 3).toString('base64')}`,
  }
  const startOne = (name: ProcessName): KillableProcess => {
    const own = {
      ...env,
      REDIS_URL: `redis://127.0.0.1:${links.redis.port}`,
      METRICS_PORT: String(metricsPorts.get(name)),
      ...(plant !== undefined && { [plantVariable]: plant }),
    }
    const started = parts.use(createProcess(serviceOf(name), own, logFile))
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
    outage,
    places,
    redis,
    links,
    processes,
    operationsUrl,
    env,
    async ready() {
      for (const name of processNames) {
        await eventually(async () => (await fetch(`${operationsUrl(name)}/health/ready`)).ok)
      }
    },
    serves: (name) =>
      fetch(`${operationsUrl(name)}/health/live`, { signal: AbortSignal.timeout(1_000) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const urlOf = ({ port }: DisturbedLink) => `http://127.0.0.1:${port}`
