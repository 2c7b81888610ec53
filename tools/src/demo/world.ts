import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startLastingRedis } from '@tieline/runtime/lasting-redis'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { hashPassword } from '@tieline/runtime/password-hash'
import { connectWorker } from '@tieline/runtime/redis'
import { freePort } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, writeInstallation } from '@tieline/testkit/installation'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { z } from 'zod'
import { root } from '../generate.ts'
import { startServiceProcesses } from '../service-processes.ts'

/** Everything the demo runs, by its addresses. */
export interface World extends AsyncDisposable {
  readonly urls: Readonly<
    Record<
      'ingress' | 'apiDocs' | 'console' | 'bills' | 'dacs' | 'derms' | 'mailbox' | 'sftpFiles' | 'bucketFiles',
      string
    >
  >
  /** What every service is told, and every command of operators has to be. */
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
}

export const consoleUser = { name: 'operator', password: 'demo' } as const

const text = z.string()
const simulatorUrls = z.object({
  dacs: text,
  derms: text,
  mailbox: text,
  smtp: text,
  sftpControl: text,
  objectStorageControl: text,
  sftp: z.object({
    host: text,
    port: z.number(),
    username: text,
    password: text,
    hostKey: text,
    directory: text,
  }),
  objectStorage: z.object({
    endpoint: text,
    tenancy: text,
    user: text,
    fingerprint: text,
    privateKeyFile: text,
    namespace: text,
    bucket: text,
  }),
})

/** Starts Redis, the simulators and every service, each in a process of its own, and waits until all are ready. */
export async function startWorld(): Promise<World> {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-demo-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const logFile = join(tmpdir(), `${directory.split('/').at(-1)}.log`)
  const output = createWriteStream(logFile)
  parts.defer(() => void output.end())

  const logger = createLogger({ service: 'demo', level: 'info', destination: output })
  const given = process.env.REDIS_URL
  const redisUrl = given || parts.use(await startLastingRedis({ dataDir: join(directory, 'redis'), logger })).url
  // A Redis that is not the demo's own may have other installations, and an earlier demo.
  const installation = given ? `demo-${randomUUID().slice(0, 8)}` : 'demo'
  if (given) parts.defer(() => forget(given, installation, logger))
  const ingressPort = await freePort()
  const simulators = await startSimulators(parts, `http://127.0.0.1:${ingressPort}`)

  const configFile = join(directory, 'tieline.yaml')
  const farSides = { dacsUrl: simulators.dacs, dermsUrl: simulators.derms, smtpUrl: simulators.smtp }
  const bills = join(directory, 'bills')
  await mkdir(bills)
  await writeFile(join(bills, '1001.pdf'), '%PDF-1.7\n% A bill\n%%EOF\n')
  const consolePort = await freePort()
  const billsPort = await freePort()
  const users = [{ name: consoleUser.name, passwordHash: await hashPassword(consoleUser.password), role: 'operator' }]
  // Short patience where a caller waits, so that the demo shows a flow giving up in seconds.
  const flows = { 'enrollment-sync': { retryForS: 2 }, 'device-status-check': { retryForS: 2 } }
  await writeFile(
    configFile,
    await writeInstallation(installation, directory, farSides, {
      sections: {
        console: { users },
        flows,
        mail: { url: simulators.smtp },
        deviceScore: transfers,
        bills: { source: { kind: 'directory', path: bills } },
      },
      ...filesOf(simulators),
    }),
  )

  const environment = {
    REDIS_URL: redisUrl,
    TIELINE_CONFIG: configFile,
    DATA_DIR: directory,
    TIELINE_PAYLOAD_KEYS: `demo:${Buffer.alloc(32, 1).toString('base64')}`,
  }
  const services = await Promise.all(
    ['enrollment', 'events', 'device-score', 'notifier', 'ingress', 'console', 'bill-provisioning'].map(
      async (name) => ({
        name,
        metricsPort: await freePort(),
      }),
    ),
  )
  parts.use(
    startServiceProcesses(
      services.map(({ name, metricsPort }) => ({
        name,
        env: {
          ...process.env,
          ...environment,
          INGRESS_PORT: String(ingressPort),
          CONSOLE_PORT: String(consolePort),
          BILLS_PORT: String(billsPort),
          METRICS_PORT: String(metricsPort),
        },
      })),
      { output },
    ),
  )
  const operations = Object.fromEntries(
    services.map(({ name, metricsPort }) => [name, `http://127.0.0.1:${metricsPort}`]),
  )
  for (const url of Object.values(operations)) {
    await eventually(async () => (await fetch(`${url}/health/ready`)).ok, 60_000)
  }
  const { dacs, derms, mailbox, sftpControl: sftpFiles, objectStorageControl: bucketFiles } = simulators
  const owned = parts.move()
  return {
    urls: {
      ingress: `http://127.0.0.1:${ingressPort}`,
      apiDocs: `${operations.ingress}/docs`,
      console: `http://127.0.0.1:${consolePort}`,
      bills: `http://127.0.0.1:${billsPort}`,
      dacs,
      derms,
      mailbox,
      sftpFiles,
      bucketFiles,
    },
    environment,
    logFile,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Nightly, so that the demo alone says when they run. */
const transfers = ['SFTP', 'BUCKET'].map((source) => ({
  name: source.toLowerCase(),
  source: `DACS_${source}`,
  target: 'DERMS_SITE1',
  schedule: '0 5 * * *',
  timezone: 'America/Los_Angeles',
}))

/** The places of score files as the installation file and the lookups have them. */
function filesOf({ sftp, objectStorage }: z.infer<typeof simulatorUrls>) {
  const { directory, ...server } = sftp
  const { namespace, bucket, ...storage } = objectStorage
  const properties = {
    enrollmentSyncAckDelay: 0,
    'dacs.dvcScore.ftp.input.directory': directory,
    'dacs.os.namespace': namespace,
    'dacs.os.dvcScore.bucketname': bucket,
  }
  return {
    connections: {
      DACS_SFTP: { kind: 'sftp', ...server },
      DACS_BUCKET: { kind: 'oci-object-storage', ...storage },
    },
    lookups: {
      ConfigProps: `PropertyName,Value\n${Object.entries(properties)
        .map((row) => `${row.join(',')}\n`)
        .join('')}`,
    },
  }
}

/** Leaves nothing behind on a Redis that stays. */
async function forget(redisUrl: string, installation: string, logger: Logger): Promise<void> {
  const redis = connectWorker(redisUrl, logger)
  const keys = await keysMatching(redis, `{${installation}}:*`)
  if (keys.length > 0) await redis.unlink(...keys)
  redis.disconnect()
}

async function startSimulators(parts: AsyncDisposableStack, ingressUrl: string) {
  const ports = [
    'DACS_SIMULATOR_PORT',
    'DERMS_SIMULATOR_PORT',
    'TOKEN_ISSUER_PORT',
    'MAILBOX_CONTROL_PORT',
    'MAILBOX_PORT',
    'SFTP_SIMULATOR_PORT',
    'OBJECT_STORAGE_SIMULATOR_PORT',
    'FILES_CONTROL_PORT',
  ]
  const child = spawn(process.execPath, [join(root, 'packages/simulators/src/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...Object.fromEntries(ports.map((name) => [name, '0'])),
      INGRESS_URL: ingressUrl,
      DACS_INBOUND_USER: credentials.dacs.username,
      DACS_INBOUND_PASSWORD: credentials.dacs.password,
      DERMS_INBOUND_USER: credentials.derms.username,
      DERMS_INBOUND_PASSWORD: credentials.derms.password,
      DACS_USER: credentials.dacsTarget.username,
      DACS_PASSWORD: credentials.dacsTarget.password,
      DERMS_USER: credentials.dermsTarget.username,
      DERMS_PASSWORD: credentials.dermsTarget.password,
      ACKNOWLEDGE_AFTER_MS: '200',
      RETRY_INTERVAL_MS: '500',
    },
  })
  parts.defer(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return simulatorUrls.parse(JSON.parse(line))
}
