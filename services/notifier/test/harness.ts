import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LookupName } from '@tieline/contracts/flows'
import { accept } from '@tieline/journal/intake'
import { listMessages, rerunMessage, showMessage } from '@tieline/journal/operations'
import type { Processor } from '@tieline/journal/types'
import { startWorkers } from '@tieline/journal/worker'
import { readEnvironment } from '@tieline/runtime/environment'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { startMailbox } from '@tieline/simulators/mailbox'
import { eventually } from '@tieline/testkit/eventually'
import { openJournal } from '@tieline/worker-service/open-journal'
import { openLookups } from '@tieline/worker-service/open-lookups'
import { inject } from 'vitest'
import { startNotifier } from '../src/service.ts'

const silent = createLogger({ service: 'test', level: 'silent' })

interface Options {
  /** Rows of the lookups, as `name,value` lines. */
  readonly emailId?: string
  readonly configProps?: string
  readonly withMail?: boolean
  readonly digestMinutes?: number
  /** More connections, as lines of the installation file. */
  readonly connections?: string
  readonly certificatesMs?: number
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

const addresses = 'From,tieline@utility.example\nTo,"admin@utility.example, ops@utility.example ,night@utility.example"'

/** The service on a Redis installation of its own, before a mailbox. */
export async function openNotifier({
  emailId = addresses,
  configProps = '',
  withMail = true,
  digestMinutes = 15,
  clock = Date.now,
  connections = '',
  certificatesMs = 3_600_000,
}: Options = {}) {
  await using opened = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-notifier-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  await mkdir(join(directory, 'lookups'))
  await writeFile(join(directory, 'lookups', 'Email_ID.csv'), `PropertyName,Value\n${emailId}\n`)
  await writeFile(join(directory, 'lookups', 'ConfigProps.csv'), `PropertyName,Value\n${configProps}\n`)

  const mailbox = opened.use(await startMailbox())
  const name = `no-${randomUUID().slice(0, 8)}`
  const installation = parseInstallation(
    `
installation: { name: ${name}, environment: test }
ingress:
  clients:
    - { name: derms, flows: [stage-status], credentials: [{ basic: { username: derms, password: in } }] }
connections:
  DACS_MAIN: { kind: dacs, baseUrl: "http://127.0.0.1:9/rest/apis", auth: none }
${connections}
lookups: { directory: ./lookups }
${withMail ? `mail: { url: "${mailbox.url}", digestMinutes: ${digestMinutes} }` : ''}
`,
    { DATA_DIR: directory },
    directory,
  )
  const environment = readEnvironment({ REDIS_URL: inject('redisUrl'), DATA_DIR: directory })
  const settings = { environment, installation }

  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const logger = createLogger({ service: 'notifier', level: 'info', destination: { write } })
  const redis = connectWorker(inject('redisUrl'), silent)
  opened.defer(() => redis.disconnect())
  const journal = opened.use(await openJournal(settings, redis, silent, { clock }))
  opened.use(await startNotifier(settings, { sweepEveryMs: 100, logger, clock, certificatesMs }))

  const parts = opened.move()
  return {
    mailbox,
    journal,
    installation,
    /** Log lines of the service. */
    lines,
    /** Accepts a notification as if a settlement had made it due. @returns its key */
    async notify(payload: unknown): Promise<string> {
      const id = randomUUID().replaceAll('-', '').slice(0, 24)
      const key = `notification.stage-status.${id}`
      const incoming = { flow: 'notification', key, instance: 'stage-status', id, client: 'tieline', hash: id } as const
      await accept(journal, { ...incoming, payload, terms: [] })
      return key
    },
    show: (key: string) => showMessage(journal, key),
    /** Waits until nothing is open any more. */
    settled: () => eventually(async () => (await journal.redis.zcard(`${journal.base}:open`)) === 0),
    async resubmit(key: string): Promise<void> {
      const by = { who: 'ops', why: 'test', fromStart: false, onlyDead: true }
      await eventually(async () => (await rerunMessage(journal, key, by)).kind === 'ok')
    },
    /** These notifications are tried now; they wait for another try. */
    async promote(...keys: string[]): Promise<void> {
      const queue = journal.queues.all.find(({ name }) => name === 'notification')
      const jobs = await eventually(async () => {
        const waiting = ((await queue?.getDelayed()) ?? []).filter(({ data }) => keys.includes(data.key))
        return waiting.length === keys.length && waiting
      })
      await Promise.all(jobs.map((job) => job.promote()))
    },
    /** As `tieline lookups set` does, until the service works with it. */
    async setLookup(lookup: LookupName, rows: Readonly<Record<string, string>>): Promise<void> {
      await using lookups = await openLookups(settings, redis, silent)
      const changed = Object.entries(rows).map(([PropertyName, Value]) => ({ PropertyName, Value }))
      const names = new Set(Object.keys(rows))
      const others = lookups.rows(lookup).filter(({ PropertyName = '' }) => !names.has(PropertyName))
      await lookups.put(lookup, [...others, ...changed], { who: 'ops', why: 'test' })
      const { version } = lookups.snapshot()
      // What is no notice shows which version it was looked at with, and is no mail.
      await eventually(async () => {
        const key = await this.notify('no notice')
        await this.settled()
        return (await showMessage(journal, key))?.timeline.some((entry) => Number(entry.lookups) >= version)
      })
    },
    notifications: () => listMessages(journal, { flow: 'notification' }),
    /** Starts the worker of another flow. @returns what hands a message over to it */
    async work(processor: Processor<{ version: number }>): Promise<(id: string, payload?: unknown) => Promise<void>> {
      const workers = { journal, connection: redis, processors: [processor], snapshot: () => ({ version: 1 }) }
      parts.use(await startWorkers({ ...workers, sweepEveryMs: 3_600_000, concurrency: 50 }))
      const { flow } = processor
      return async (id, payload = {}) => {
        const incoming = { flow, key: `${flow}.SITE1.${id}`, instance: 'SITE1', id, client: 'derms', hash: id }
        await accept(journal, { ...incoming, payload, terms: [id] })
      }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
