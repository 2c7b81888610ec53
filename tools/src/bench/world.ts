import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startEmbeddedRedis } from '@tieline/runtime/embedded-redis'
import { createLogger } from '@tieline/runtime/logger'
import { freePort } from '@tieline/runtime/redis-process'
import { eventually } from '@tieline/testkit/eventually'
import { type FarSides, type InstallationChanges, writeInstallation } from '@tieline/testkit/installation'
import { root } from '../generate.ts'
import { heapFlagsOf } from '../service-processes.ts'

export interface BenchProcess {
  readonly url: string
  readonly pid: number
}

const nowhere: FarSides = {
  dacsUrl: 'http://127.0.0.1:9',
  dermsUrl: 'http://127.0.0.1:9',
  smtpUrl: 'smtp://127.0.0.1:9',
}

const payloadKey = { TIELINE_PAYLOAD_KEYS: `k:${Buffer.alloc(32, 1).toString('base64')}` }

/** What makes a run a trial: it tells something of the services, and its numbers are not kept. */
export interface Trial {
  /** Flags of node for every service, instead of those that `start` gives. */
  readonly flags?: readonly string[] | undefined
  /** Where each service writes a profile of its processor time. */
  readonly profiles?: string | undefined
}

/** A Redis of the measurement's own, and processes on it, all on this machine alone. */
export async function startBenchWorld({ flags: trialFlags, profiles }: Trial = {}) {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bench-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const logger = createLogger({ service: 'bench', level: 'warn' })
  const redis = parts.use(await startEmbeddedRedis({ dataDir: join(directory, 'redis'), logger }))

  const owned = parts.move()

  const startProcess = async (
    file: string,
    port: string,
    env: Record<string, string>,
    flags: readonly string[] = [],
    args: readonly string[] = [],
  ) => {
    const child: ChildProcess = spawn(process.execPath, [...flags, resolve(root, file), ...args], {
      env: { ...process.env, REDIS_URL: redis.url, ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    // Also when this process ends without coming to its disposals.
    const end = () => child.kill('SIGTERM')
    process.once('exit', end)
    owned.defer(async () => {
      process.off('exit', end)
      end()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    const url = `http://127.0.0.1:${port}`
    await eventually(async () => (await fetch(`${url}/health/ready`)).status > 0)
    return { url, pid: child.pid ?? 0 }
  }

  /** A service as `start` runs it. */
  const startService = (service: string, name: string, port: string, env: Record<string, string>) => {
    const profile = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${service}-${name}.cpuprofile`]
    const flags = [...(trialFlags ?? heapFlagsOf(service)), ...(profiles === undefined ? [] : profile)]
    return startProcess(`services/${service}/src/main.ts`, port, env, flags)
  }

  /** An installation whose worker has not started yet. */
  const prepareWorker = async (
    name: string,
    farSides: string,
    service: string,
    env: Record<string, string> = payloadKey,
    changes: InstallationChanges = {},
  ) => {
    const configFile = join(directory, `${name}.yaml`)
    const sides = { ...nowhere, dacsUrl: farSides, dermsUrl: farSides }
    await writeFile(configFile, await writeInstallation(name, directory, sides, changes))
    const settings = {
      REDIS_URL: redis.url,
      TIELINE_CONFIG: configFile,
      LOG_LEVEL: 'warn',
      DATA_DIR: directory,
      ...env,
    }
    return {
      env: settings,
      async start(): Promise<BenchProcess> {
        const metricsPort = String(await freePort())
        const own = { ...settings, METRICS_PORT: metricsPort }
        return startService(service, name, metricsPort, own)
      },
    }
  }

  return {
    redisUrl: redis.url,
    payloadKey,
    /** A directory for the data of a peer; it lasts longer than the peer. */
    async makeDirectory(name: string): Promise<string> {
      const path = join(directory, name)
      await mkdir(path)
      // A database server that runs as another user must get to its files.
      for (const each of [directory, path]) await chmod(each, 0o755)
      return path
    },
    /** A program of this folder that listens at PORT. */
    startPlain: async (file: string, env: Record<string, string> = {}): Promise<string> => {
      const port = String(await freePort())
      return (await startProcess(`tools/src/bench/${file}`, port, { ...env, PORT: port })).url
    },
    /** A program that is not ours, and listens at PORT. */
    startPeer: async (file: string, args: readonly string[], env: Record<string, string>): Promise<BenchProcess> => {
      const port = String(await freePort())
      return startProcess(file, port, { ...env, PORT: port }, [], args)
    },
    /** An ingress on an installation of its own. */
    startIngress: async (name: string, env: Record<string, string> = {}): Promise<BenchProcess> => {
      const port = String(await freePort())
      const configFile = join(directory, `${name}.yaml`)
      await writeFile(configFile, await writeInstallation(name, directory, nowhere))
      const settings = { TIELINE_CONFIG: configFile, LOG_LEVEL: 'warn', DATA_DIR: directory, INGRESS_PORT: port }
      return startService('ingress', name, port, { ...settings, ...env })
    },
    /** An ingress and one worker service, on far sides at one address. */
    startPipeline: async (
      name: string,
      farSides: string,
      env: Record<string, string> = {},
      { service = 'events', ...changes }: InstallationChanges & { readonly service?: string } = {},
    ) => {
      const ingressPort = String(await freePort())
      const worker = await prepareWorker(name, farSides, service, env, changes)
      return {
        worker: await worker.start(),
        ingress: await startService('ingress', name, ingressPort, { ...worker.env, INGRESS_PORT: ingressPort }),
      }
    },
    prepareWorker,
    /** The service that transfers score files, from one connection to DERMS. */
    startTransfer: async (name: string, farSides: string, connection: object) => {
      const metricsPort = String(await freePort())
      const configFile = join(directory, `${name}.yaml`)
      const schedule = { schedule: '0 0 29 2 *', timezone: 'UTC' }
      const changes = {
        connections: { FILES: connection },
        sections: { deviceScore: [{ name: 'nightly', source: 'FILES', target: 'DERMS_SITE1', ...schedule }] },
        lookups: { ConfigProps: 'PropertyName,Value\ndacs.dvcScore.ftp.input.directory,/\n' },
      }
      await writeFile(configFile, await writeInstallation(name, directory, { ...nowhere, dermsUrl: farSides }, changes))
      const env = { REDIS_URL: redis.url, TIELINE_CONFIG: configFile, LOG_LEVEL: 'warn', DATA_DIR: directory }
      const settings = { ...env, METRICS_PORT: metricsPort }
      return {
        env,
        worker: await startService('device-score', name, metricsPort, settings),
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export type BenchWorld = Awaited<ReturnType<typeof startBenchWorld>>
