import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flowSpec, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import type { Processor, Settlement } from '@tieline/journal/types'
import { startWorkers } from '@tieline/journal/worker'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { keysMatching } from '@tieline/testkit/keys-matching'
import { openJournal } from '@tieline/worker-service/open-journal'
import { inject } from 'vitest'
import { type IngressTuning, startIngress } from '../src/service.ts'

export interface Tables {
  readonly version: number
}

interface Options {
  readonly redisUrl?: string
  readonly ingress?: object
  /** More sections of the installation file. */
  readonly sections?: object
  readonly tuning?: IngressTuning
}

export interface Post {
  readonly headers?: Record<string, string | undefined>
  readonly method?: string
  readonly signal?: AbortSignal
}

export const derms = {
  name: 'derms',
  flows: inboundFlowIds.filter((id) => flowSpec(id).caller === 'DERMS'),
  credentials: [{ basic: { username: 'derms', password: 'pw-derms' } }],
}
export const dacs = {
  name: 'dacs',
  flows: inboundFlowIds.filter((id) => flowSpec(id).caller === 'DACS'),
  credentials: [{ basic: { username: 'dacs', password: 'pw-dacs' } }],
}

export const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

const caller = (flow: InboundFlowId | undefined) =>
  flow !== undefined && flowSpec(flow).caller === 'DACS' ? basic('dacs', 'pw-dacs') : basic('derms', 'pw-derms')

/** Refusals at the door are kept, and an e-mail is due about them: nothing of it is a message of the sender. */
const ofRefusals = /:journal:(?:d|dr|db|w|j):|:journal:(?:windows|seq|open)$|[:.]notification\b/

/** An ingress on an installation of its own, everything it logs, and workers on demand. */
export async function openIngress({ redisUrl = inject('redisUrl'), ingress, sections, tuning }: Options = {}) {
  await using opened = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-ingress-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  const name = `in-${randomUUID().slice(0, 12)}`
  const file = {
    installation: { name },
    ingress: { clients: [derms, dacs], ...ingress },
    connections: { DACS: { kind: 'dacs', baseUrl: 'http://127.0.0.1:9', auth: 'none' } },
    ...sections,
  }
  const settings = {
    environment: {
      redisUrl,
      configFile: '',
      ingressPort: 0,
      consolePort: 0,
      billsPort: 0,
      gatewayPort: 0,
      gatewayWorkersPort: 0,
      gatewayWorkersHost: '127.0.0.1',
      metricsHost: '127.0.0.1',
      metricsPort: 0,
      logLevel: 'info',
      dataDir: directory,
      payloadKeys: [{ id: 'test', key: Buffer.alloc(32, 3) }],
      allowVolatileRedis: false,
    },
    installation: parseInstallation(JSON.stringify(file), { DATA_DIR: directory }, directory),
  } as const
  const logged: string[] = []
  const destination = { write: (line: string) => void logged.push(line) }
  const logger = createLogger({ service: 'ingress', level: 'info', destination })
  const silent = createLogger({ service: 'test', level: 'silent' })

  const redis = connectWorker(redisUrl, silent)
  opened.defer(() => redis.disconnect())
  const journal = opened.use(await openJournal(settings, redis, silent))
  const service = opened.use(await startIngress(settings, { logger, workersComeWithinMs: 0, ...tuning }))

  /** Posts to a flow's own path as its usual caller, or to any path. A header given as undefined is left out. */
  async function post(flowOrPath: InboundFlowId | `/${string}`, body: unknown, { headers, method, signal }: Post = {}) {
    const flow = inboundFlowIds.find((id) => id === flowOrPath)
    const usual = { 'content-type': 'application/json', authorization: caller(flow), ...headers }
    const response = await fetch(service.url + (flow ? flowSpec(flow).paths[0] : flowOrPath), {
      method: method ?? 'POST',
      headers: Object.entries(usual).filter((header): header is [string, string] => header[1] !== undefined),
      ...(body !== undefined && {
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
      ...(signal && { signal }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }

  const running = opened.move()
  return {
    service,
    url: service.url,
    name,
    directory,
    redis,
    journal,
    logged,
    post,
    /** The processors run in this process until disposal. */
    work: async (...processors: Processor<Tables>[]) =>
      running.use(
        await startWorkers({
          journal,
          connection: redis,
          processors,
          snapshot: () => ({ version: 1 }),
          sweepEveryMs: 200,
          drainMs: 1_000,
        }),
      ),
    /** Every key of the installation that a message would leave. */
    async recorded(): Promise<string[]> {
      const keys = await keysMatching(redis, `{${name}}:*`)
      return keys.filter(
        (key) => !/:(?:meta|workers|ready|marker|stalled-check)$|:lookups?\b/.test(key) && !ofRefusals.test(key),
      )
    },
    field: (key: string, field: string) => redis.hget(`${journal.base}:m:${key}`, field),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

export const succeeded = (body: unknown): Settlement => ({
  state: 'succeeded',
  outcome: 'SUCCESS',
  reply: { status: 200, body },
})

/** Settles each message as it is told, and counts how often it ran. */
export function settling(flow: InboundFlowId, settle: (payload: unknown) => Settlement | Promise<Settlement>) {
  const payloads: unknown[] = []
  const processor: Processor<Tables> = {
    flow,
    process(attempt) {
      payloads.push(attempt.payload)
      return Promise.resolve(settle(attempt.payload))
    },
    giveUp: () => ({ state: 'dead', outcome: 'FAILURE', code: 'internal' }),
  }
  return { ...processor, payloads }
}

export const stageStatus = (more: object = {}) => ({
  drmsInstanceId: 'SITE1',
  messageId: `M-${randomUUID().slice(0, 8)}`,
  eventId: 'E-1',
  stageId: `S-${randomUUID().slice(0, 8)}`,
  stageStatus: 'CANCELED',
  ...more,
})

export const syncAck = (dacsMessageId: string) => ({
  MsgAck: { ackType: 'SUCCESS', whenISO: '', responses: { response: [{ responseCode: 'SUCCESS', dacsMessageId }] } },
})
