import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { runCommandLine } from '@tieline/console/command-line'
import { type FileFlowId, flowSpec, type InboundFlowId } from '@tieline/contracts/flows'
import type { TransferTuning } from '@tieline/device-score/processors/transfer-run'
import { startDeviceScore } from '@tieline/device-score/service'
import { startEnrollment } from '@tieline/enrollment/service'
import { startEvents } from '@tieline/events/service'
import { startIngress } from '@tieline/ingress/service'
import type { Journal } from '@tieline/journal/journal'
import { listMessages, type MessageDetails, showMessage } from '@tieline/journal/operations'
import { startNotifier } from '@tieline/notifier/service'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { connectWorker, type RedisConnection } from '@tieline/runtime/redis'
import type { DacsSimulator } from '@tieline/simulators/dacs'
import type { DermsSimulator } from '@tieline/simulators/derms'
import { type Mailbox, startMailbox } from '@tieline/simulators/mailbox'
import { type AttachedFile, renderMultipart } from '@tieline/simulators/multipart'
import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { openJournal } from '@tieline/worker-service/open-journal'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import type { WorkerTuning } from '@tieline/worker-service/start-worker-service'
import { eventually } from './eventually.ts'
import { credentials, type InstallationChanges, writeInstallation } from './installation.ts'

export interface PipelineOptions extends InstallationChanges {
  readonly redisUrl: string
  /** Worker services to start; all of them when absent. */
  readonly services?: readonly Service[]
  readonly tuning?: WorkerTuning & TransferTuning
  readonly payloadKeys?: ServiceSettings['environment']['payloadKeys']
  readonly logger?: Logger
  /** Where traces go. */
  readonly traceEndpoint?: string
}

export interface PostOptions {
  readonly headers?: Record<string, string>
  /** Default: the canonical path of the flow. */
  readonly path?: string
  readonly signal?: AbortSignal
}

export interface Posted {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

/** The whole pipeline in this process, on simulators of its own. */
export interface Pipeline extends AsyncDisposable {
  readonly url: string
  readonly settings: ServiceSettings
  readonly dacs: DacsSimulator
  readonly derms: DermsSimulator
  readonly mailbox: Mailbox
  readonly journal: Journal
  readonly redis: RedisConnection
  /** Runs a command of operators on this installation. */
  tieline(...args: string[]): Promise<{ code: number; out: string; err: string }>
  /** Posts a message as its sender does. */
  post(flow: InboundFlowId, body: unknown, options?: PostOptions): Promise<Posted>
  /** Posts a JSON part and a CSV file as DERMS does, in the documented shape. */
  postFile(flow: FileFlowId, body: unknown, file: AttachedFile, options?: PostOptions): Promise<Posted>
  /** Waits until a message is in one of these states and tells all about it. */
  until(key: string, ...states: string[]): Promise<MessageDetails>
  /** Every message the journal knows, except e-mails. */
  messages(): Promise<string[]>
}

/** Quick enough for tests, and nothing that is promised changes. */
const testTuning: WorkerTuning & TransferTuning = {
  sweepEveryMs: 500,
  // Each is a connection more, and a pipeline starts for many a test.
  fetchers: 1,
  lockMs: 2_000,
  stalledCheckMs: 1_000,
  pauseMs: 300,
  lookAgainMs: 50,
  againMs: 50,
  followMs: 200,
}

const starters = {
  enrollment: startEnrollment,
  events: startEvents,
  'device-score': startDeviceScore,
  notifier: startNotifier,
}
type Service = keyof typeof starters

export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  await using parts = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-pipeline-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))

  const dacs = parts.use(await startDacsSimulator({ auth: { basic: credentials.dacsTarget } }))
  const derms = parts.use(await startDermsSimulator({ auth: { basic: credentials.dermsTarget }, retryIntervalMs: 100 }))
  const mailbox = parts.use(await startMailbox())

  const farSides = { dacsUrl: dacs.url, dermsUrl: derms.url, smtpUrl: mailbox.url }
  const yaml = await writeInstallation(`t-${randomUUID().slice(0, 18)}`, directory, farSides, options)
  const payloadKeys = options.payloadKeys ?? [{ id: 'test', key: Buffer.alloc(32, 5) }]
  const configFile = join(directory, 'tieline.yaml')
  const dataDir = join(directory, 'data')
  await mkdir(dataDir)
  await writeFile(configFile, yaml)
  const settings: ServiceSettings = {
    environment: {
      redisUrl: options.redisUrl,
      configFile,
      ingressPort: 0,
      consolePort: 0,
      billsPort: 0,
      gatewayPort: 0,
      gatewayWorkersPort: 0,
      gatewayWorkersHost: '127.0.0.1',
      metricsHost: '127.0.0.1',
      metricsPort: 0,
      logLevel: 'silent',
      dataDir,
      payloadKeys,
      allowVolatileRedis: false,
      ...(options.traceEndpoint !== undefined && { traceEndpoint: options.traceEndpoint }),
    },
    installation: parseInstallation(yaml, { DATA_DIR: dataDir }, directory),
  }
  const logger = options.logger ?? createLogger({ service: 'test', level: 'silent' })
  const tuning = { ...testTuning, logger, ...options.tuning }
  for (const service of options.services ?? (Object.keys(starters) as Service[])) {
    parts.use(await starters[service](settings, tuning))
  }
  // On a busy machine the ingress must not start without its store: it would refuse the first message. Workers that a test
  // has not started by now do not come.
  const ingress = parts.use(await startIngress(settings, { logger, startWithinMs: 30_000, workersComeWithinMs: 0 }))
  dacs.simulator.pointAt({ baseUrl: ingress.url, basic: credentials.dacs })
  derms.simulator.pointAt({ baseUrl: ingress.url, basic: credentials.derms })

  const redis = connectWorker(options.redisUrl, logger)
  parts.defer(() => redis.disconnect())
  const journal = parts.use(await openJournal(settings, redis, logger))
  const owned = parts.move()
  return {
    url: ingress.url,
    settings,
    dacs: dacs.simulator,
    derms: derms.simulator,
    mailbox,
    journal,
    redis,
    async tieline(...args) {
      const written = { out: '', err: '' }
      const code = await runCommandLine(args, {
        env: {
          REDIS_URL: options.redisUrl,
          TIELINE_CONFIG: configFile,
          DATA_DIR: dataDir,
          TIELINE_PAYLOAD_KEYS: payloadKeys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(','),
        },
        stdin: Readable.from([]),
        stdout: { write: (text) => (written.out += text) },
        stderr: { write: (text) => (written.err += text) },
      })
      return { code, ...written }
    },
    post: (flow, body, post = {}) => postTo(ingress.url, flow, body, post),
    postFile(flow, body, file, post = {}) {
      const { contentType, bytes } = renderMultipart(body, file)
      return postTo(ingress.url, flow, bytes, { ...post, headers: { 'content-type': contentType, ...post.headers } })
    },
    until: (key, ...states) =>
      eventually(async () => {
        const details = await showMessage(journal, key)
        return details && states.includes(details.state) ? details : undefined
      }),
    messages: async () =>
      (await listMessages(journal)).filter(({ flow }) => flow !== 'notification').map(({ key }) => key),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function postTo(
  url: string,
  flow: InboundFlowId,
  body: unknown,
  { headers, path, signal }: PostOptions,
): Promise<Posted> {
  const { caller, paths } = flowSpec(flow)
  const user = caller === 'DACS' ? credentials.dacs : credentials.derms
  const response = await fetch(url + (path ?? paths[0]), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`,
      ...headers,
    },
    body: typeof body === 'string' ? body : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body),
    ...(signal && { signal }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}
