import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Journal } from '@tieline/journal/journal'
import type { LookupStore } from '@tieline/lookups/store'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Environment } from '@tieline/runtime/environment'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { connectProducer } from '@tieline/runtime/redis'
import { openJournal } from '@tieline/worker-service/open-journal'
import { openLookups } from '@tieline/worker-service/open-lookups'
import { readSettings, type ServiceSettings } from '@tieline/worker-service/read-settings'

/** Where a command runs; `process` is one. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
}

interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** What commands work with. Nothing is read or connected before a command asks for it. */
export interface Tools extends AsyncDisposable {
  readonly terminal: Terminal
  /** Faults and worse, on standard error. */
  readonly logger: Logger
  /** A line of the result. */
  print(line: string): void
  /** @throws ConfigurationError */
  settings(): Promise<ServiceSettings>
  /** @throws ConfigurationError when nothing says where Redis is */
  journal(): Promise<Journal>
  lookups(): Promise<LookupStore>
}

export function openTools(terminal: Terminal): Tools {
  const parts = new AsyncDisposableStack()
  const logger = createLogger({
    service: 'tieline',
    level: 'error',
    destination: { write: (line) => void terminal.stderr.write(line) },
  })
  const settings = once(() => readSettings(terminal.env))
  const redis = once(async () => {
    const url = await findRedisUrl((await settings()).environment)
    const connection = await connectProducer(url, logger, { commandTimeoutMs: 10_000 })
    parts.defer(() => connection.disconnect())
    return connection
  })
  return {
    terminal,
    logger,
    print: (line) => void terminal.stdout.write(`${line}\n`),
    settings,
    journal: once(async () => parts.use(await openJournal(await settings(), await redis(), logger))),
    lookups: once(async () => parts.use(await openLookups(await settings(), await redis(), logger))),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** `pnpm start` writes the URL of the Redis that it runs into its data directory. */
async function findRedisUrl({ redisUrl, dataDir }: Environment): Promise<string> {
  if (redisUrl !== undefined) return redisUrl
  const file = join(dataDir, 'redis', 'url')
  const written = await readFile(file, 'utf8').catch(() => '')
  if (written.trim() !== '') return written.trim()
  throw new ConfigurationError('Redis cannot be found', [
    {
      path: 'REDIS_URL',
      rule: `is required, unless \`pnpm start\` runs with the same DATA_DIR and has written ${file}`,
    },
  ])
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
