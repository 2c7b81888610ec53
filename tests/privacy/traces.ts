import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Console } from '@tieline/console/service'
import { listMessages, readAudit, showMessage } from '@tieline/journal/operations'
import { keysMatching } from '@tieline/testkit/keys-matching'
import type { Pipeline } from '@tieline/testkit/pipeline'

/** Every place where something of a message could be read by people or machines that may not, as raw text. */
export interface Traces {
  readonly log: string
  readonly redis: string
  readonly files: string
  readonly mails: string
  readonly metrics: string
  /** What a collector of OpenTelemetry was sent so far. */
  readonly spans: string
  readonly board: string
  readonly journal: string
}

export async function collectTraces(
  pipeline: Pipeline,
  { log, spans }: Pick<Traces, 'log' | 'spans'>,
  board: BoardAccess,
): Promise<Traces> {
  return {
    log,
    spans,
    redis: await readRedis(pipeline),
    files: await readFiles(pipeline.settings.environment.dataDir),
    mails: JSON.stringify(pipeline.mailbox.mails),
    metrics: await readMetrics(log),
    board: await readBoard(board, pipeline),
    journal: await readJournal(pipeline),
  }
}

export interface BoardAccess {
  readonly console: Console
  readonly authorization: string
}

/** Keys and values of every type, nothing decoded. */
async function readRedis({ redis, journal }: Pipeline): Promise<string> {
  const keys = (await keysMatching(redis, `{${journal.installation}}*`)).toSorted()
  const entries = await Promise.all(keys.map(async (key) => `${key} ${JSON.stringify(await readKey(redis, key))}`))
  return entries.join('\n')
}

async function readKey(redis: Pipeline['redis'], key: string): Promise<unknown> {
  const type = await redis.type(key)
  switch (type) {
    case 'string':
      return redis.get(key)
    case 'hash':
      return redis.hgetall(key)
    case 'list':
      return redis.lrange(key, 0, -1)
    case 'set':
      return redis.smembers(key)
    case 'zset':
      return redis.zrange(key, '0', '-1')
    case 'stream':
      return redis.xrange(key, '-', '+')
    case 'none':
      return undefined
    default:
      throw new Error(`Redis keeps ${key} as a ${type}, which this test cannot read`)
  }
}

async function readFiles(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const texts = await Promise.all(files.map(async (file) => `${file} ${await readFile(file, 'latin1')}`))
  return texts.join('\n')
}

/** Of every process, found by what it logged at its start. */
async function readMetrics(log: string): Promise<string> {
  const urls = [...log.matchAll(/Metrics and health on (http:[^"]+)"/g)].map(([, url]) => url)
  const pages = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  return pages.join('\n')
}

/** All queues with all their jobs, and each job by itself. */
async function readBoard({ console, authorization }: BoardAccess, { journal }: Pipeline): Promise<string> {
  const get = async (path: string) => {
    const response = await fetch(`${console.url}/queues/api/queues${path}`, { headers: { authorization } })
    // The job of a message that has just settled may go while we look.
    if (response.status === 404) return ''
    if (!response.ok) throw new Error(`Bull Board answered ${response.status} to ${path}`)
    return response.text()
  }
  const pages = await Promise.all(
    journal.queues.all.map(async (queue) => {
      const jobs = await queue.getJobs()
      const list = await get(`?activeQueue=${queue.name}&status=latest&page=1&jobsPerPage=200`)
      return [list, ...(await Promise.all(jobs.map(({ id }) => get(`/${queue.name}/${id}`))))]
    }),
  )
  return pages.flat().join('\n')
}

/** What the operators' commands show. */
async function readJournal({ journal }: Pipeline): Promise<string> {
  const messages = await listMessages(journal, { limit: 1_000 })
  const details = await Promise.all(messages.map(({ key }) => showMessage(journal, key)))
  return [...details, await readAudit(journal)].map((shown) => JSON.stringify(shown)).join('\n')
}

/** Where a secret stands, as itself, in any case, or in base64 at any offset. One short excerpt for each place. */
export function findSecrets(traces: Partial<Traces>, secrets: readonly string[]): string[] {
  return Object.entries(traces).flatMap(([place, text]) => {
    const lower = text.toLowerCase()
    return secrets.flatMap((secret) => {
      const plain = lower.indexOf(secret.toLowerCase())
      const coded = base64Spellings(secret).map((spelling) => text.indexOf(spelling))
      return [plain, ...coded]
        .filter((at) => at >= 0)
        .map((at) => `${place}: …${text.slice(Math.max(0, at - 120), at + 60)}…`)
    })
  })
}

/** The characters that depend on nothing but the text, for each of the three ways it can fall into groups of three bytes. */
const base64Spellings = (text: string): string[] =>
  [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })
