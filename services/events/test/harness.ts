import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '@tieline/contracts/canonical-json'
import { identify } from '@tieline/contracts/identity'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { accept } from '@tieline/journal/intake'
import { listMessages, readStoredPayload, showMessage } from '@tieline/journal/operations'
import { startReplyDesk } from '@tieline/journal/replies'
import { readEnvironment } from '@tieline/runtime/environment'
import { parseInstallation } from '@tieline/runtime/installation'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { startDacsSimulator } from '@tieline/simulators/start'
import { openJournal } from '@tieline/worker-service/open-journal'
import { inject } from 'vitest'
import { startEvents } from '../src/service.ts'
import { minimalInstallation } from './installation.ts'

const logger = createLogger({ service: 'test', level: 'silent' })

/** The service on a Redis installation of its own, before a simulated DACS. `more` is YAML for the installation file. */
export async function openService(more = '') {
  await using opened = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-events-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  const { simulator: dacs, url } = opened.use(await startDacsSimulator())
  const environment = readEnvironment({ REDIS_URL: inject('redisUrl'), DATA_DIR: directory, LOG_LEVEL: 'silent' })
  const name = `ev-${randomUUID().slice(0, 8)}`
  const installation = parseInstallation(
    `${minimalInstallation(url, name)}\n${more}`,
    { DATA_DIR: directory },
    directory,
  )
  const settings = { environment, installation }

  const redis = connectWorker(inject('redisUrl'), logger)
  opened.defer(() => redis.disconnect())
  const subscriber = connectWorker(inject('redisUrl'), logger)
  opened.defer(() => subscriber.disconnect())
  const journal = opened.use(await openJournal(settings, redis, logger))
  const desk = opened.use(await startReplyDesk(journal, subscriber))
  opened.use(await startEvents(settings, { sweepEveryMs: 200, logger }))

  const parts = opened.move()
  return {
    dacs,
    /** Sends a message as the ingress would, and waits for what DERMS is told and what operators see. */
    async send(payload: unknown) {
      const hash = canonicalJson(payload)
      const incoming = { ...identify('stage-status', payload, 'derms', hash), flow: 'stage-status', hash } as const
      const { key, generation } = await accept(journal, { ...incoming, client: 'derms', payload })
      const waited = await desk.wait({ key, generation }, 30_000, new AbortController().signal)
      const reply = waited.kind === 'settled' ? waited.reply : undefined
      return { status: reply?.status, ack: readMsgAck(reply?.body), message: await showMessage(journal, key) }
    },
    /** The e-mails that became due. */
    async notices(): Promise<unknown[]> {
      const messages = await listMessages(journal, { flow: 'notification' })
      return Promise.all(messages.map(({ key }) => readStoredPayload(journal, key)))
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
