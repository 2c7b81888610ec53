import type { Journal } from '@tieline/journal/journal'
import { listMessages, readStoredPayload, showMessage } from '@tieline/journal/operations'
import { openStates } from '@tieline/journal/types'
import { createLogger } from '@tieline/runtime/logger'
import { connectWorker } from '@tieline/runtime/redis'
import { openJournal } from '@tieline/worker-service/open-journal'
import { readSettings } from '@tieline/worker-service/read-settings'
import type { Recorded } from './history.ts'

const all = { limit: 1_000_000 }

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

/** Everything the journal says about every message, e-mails included. */
export async function recordAll(journal: Journal): Promise<Recorded[]> {
  const recorded: Recorded[] = []
  for (const { key } of await listMessages(journal, all)) {
    const details = await showMessage(journal, key)
    if (details === undefined) continue
    const seq = Number(await journal.redis.hget(`${journal.base}:m:${key}`, 'seq'))
    recorded.push({ ...details, seq, payload: await readStoredPayload(journal, key) })
  }
  return recorded.sort((a, b) => a.seq - b.seq)
}
