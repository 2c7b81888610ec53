import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { freePort } from '@tieline/runtime/redis-process'
import { startMailbox } from '@tieline/simulators/mailbox'
import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, type InstallationChanges, writeInstallation } from '@tieline/testkit/installation'
import { startServiceProcesses } from '@tieline/tools/service-processes'

export interface ProcessesOptions extends InstallationChanges {
  readonly redisUrl: string
}

/** The services as processes of their own, to be killed, on simulators in this process. */
export async function startProcesses({ redisUrl, ...changes }: ProcessesOptions) {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-faults-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  const dacs = parts.use(await startDacsSimulator({ auth: { basic: credentials.dacsTarget } }))
  const derms = parts.use(
    await startDermsSimulator({ auth: { basic: credentials.dermsTarget }, retryIntervalMs: 200, maxRetries: 100 }),
  )
  const mailbox = parts.use(await startMailbox())
  const configFile = join(directory, 'tieline.yaml')
  const farSides = { dacsUrl: dacs.url, dermsUrl: derms.url, smtpUrl: mailbox.url }
  const installation = `f-${randomUUID().slice(0, 18)}`
  await writeFile(configFile, await writeInstallation(installation, directory, farSides, changes))
  const ingressPort = await freePort()

  const env = {
    ...process.env,
    REDIS_URL: redisUrl,
    TIELINE_CONFIG: configFile,
    DATA_DIR: directory,
    INGRESS_PORT: String(ingressPort),
  }
  const run = async (...names: string[]) => {
    const services = await Promise.all(names.map(async (name) => ({ name, metricsPort: await freePort() })))
    const processes = startServiceProcesses(
      services.map(({ name, metricsPort }) => ({
        name,
        env: { ...env, METRICS_PORT: String(metricsPort) },
      })),
      { output: new PassThrough().resume() },
    )
    const ready = () =>
      Promise.all(
        services.map(({ metricsPort }) =>
          eventually(async () => (await fetch(`http://127.0.0.1:${metricsPort}/health/ready`)).ok),
        ),
      )
    return {
      ready,
      async kill(name: string, signal: NodeJS.Signals) {
        const pid = processes.pids()[name]
        if (pid === undefined) throw new Error(`${name} does not run`)
        process.kill(pid, signal)
        if (signal === 'SIGKILL') await eventually(() => processes.pids()[name] !== pid)
      },
      [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
    }
  }
  const url = `http://127.0.0.1:${ingressPort}`
  dacs.simulator.pointAt({ baseUrl: url, basic: credentials.dacs })
  derms.simulator.pointAt({ baseUrl: url, basic: credentials.derms })
  const owned = parts.move()
  return {
    url,
    installation,
    /** The environment of every service. */
    env,
    dacs: dacs.simulator,
    derms: derms.simulator,
    run,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
