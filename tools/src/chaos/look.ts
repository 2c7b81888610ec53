import type { Journal } from '@tieline/journal/journal'
import { listMessages, readMessageFile, readStoredPayload, showMessage } from '@tieline/journal/operations'
import { openStates } from '@tieline/journal/schema'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { openJournal } from '@tieline/worker-service/open-journal'
import { readSettings } from '@tieline/worker-service/read-settings'
import type { Recorded } from './history.ts'

const all = { limit: 1_000_000 }

export const allMessages = (journal: Journal) => listMessages(journal, all)

/** The journal of the run, for looking only. */
export async function openForLooking(env: NodeJS.ProcessEnv): Promise<AsyncDisposable & { readonly journal: Journal }> {
  const settings = await readSettings(env)
  const logger = createLogger({ service: 'chaos', level: 'silent' })
  const redis = connectWorker(settings.environment.redisUrl ?? '', logger)
  const journal = await openJournal(settings, redis, logger)
  return {
    journal,
    async [Symbol.asyncDispose]() {
      await journal[Symbol.asyncDispose]()
      redis.disconnect()
    },
  }
}

/** What is not settled yet. */
export async function openMessages(journal: Journal) {
  const lists = await Promise.all(openStates.map((state) => listMessages(journal, { state, ...all })))
  return lists.flat()
}

const atOnce = 50

/**
 * Everything the journal says about every message, e-mails included.
 * @param timelines of messages whose time line is longer than the journal keeps
 */
export async function recordAll(
  journal: Journal,
  timelines: ReadonlyMap<string, Recorded['timeline']>,
): Promise<Recorded[]> {
  const recorded: Recorded[] = []
  const keys = (await allMessages(journal)).map(({ key }) => key)
  for (let i = 0; i < keys.length; i += atOnce) {
    const some = await Promise.all(keys.slice(i, i + atOnce).map((key) => record(journal, key)))
    for (const message of some.flat()) {
      const timeline = timelines.get(message.key)
      recorded.push(timeline ? { ...message, timeline } : message)
    }
  }
  return recorded.sort((a, b) => a.seq - b.seq)
}

async function record(journal: Journal, key: string): Promise<Recorded[]> {
  const details = await showMessage(journal, key)
  if (details === undefined) return []
  const seq = Number(await journal.redis.hget(`${journal.base}:m:${key}`, 'seq'))
  const payload = await readStoredPayload(journal, key)
  const file = await readMessageFile(journal, key)
  return [{ ...details, seq, payload, ...(file && { content: await textOf(file.open()) }) }]
}

async function textOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
