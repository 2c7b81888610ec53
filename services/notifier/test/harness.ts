import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accept } from '@tieline/journal/intake'
import { listMessages, showMessage } from '@tieline/journal/operations'
import type { Processor } from '@tieline/journal/types'
import { startWorkers } from '@tieline/journal/worker'
import { readEnvironment } from '@tieline/runtime/environment'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { startMailbox } from '@tieline/simulators/mailbox'
import { openJournal } from '@tieline/worker-service/open-journal'
import { inject } from 'vitest'
import { startNotifier } from '../src/service.ts'

const silent = createLogger({ service: 'test', level: 'silent' })

interface Options {
  /** Rows of the lookups, as `name,value` lines. */
  readonly emailId?: string
  readonly configProps?: string
  readonly withMail?: boolean
}

const addresses = 'From,tieline@utility.example\nTo,"admin@utility.example, ops@utility.example ,night@utility.example"'

/** The service on a Redis installation of its own, before a mailbox. */
export async function openNotifier({ emailId = addresses, configProps = '', withMail = true }: Options = {}) {
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
lookups: { directory: ./lookups }
${withMail ? `mail: { url: "${mailbox.url}" }` : ''}
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
  const journal = opened.use(await openJournal(settings, redis, silent))
  opened.use(await startNotifier(settings, { sweepEveryMs: 200, logger }))

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
    notifications: () => listMessages(journal, { flow: 'notification' }),
    /** Lets a message of another flow run into its end. */
    async run(processor: Processor<{ version: number }>, payload: unknown): Promise<void> {
      const workers = { journal, connection: redis, processors: [processor], snapshot: () => ({ version: 1 }) }
      parts.use(await startWorkers(workers))
      const key = `${processor.flow}.SITE1.M-1`
      const incoming = { flow: processor.flow, key, instance: 'SITE1', id: 'M-1', client: 'derms', hash: 'h' }
      await accept(journal, { ...incoming, payload, terms: ['M-1'] })
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
