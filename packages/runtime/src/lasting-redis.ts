import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from './configuration-error.ts'
import { type EmbeddedRedisOptions, type PreparedRedis, prepareEmbeddedRedis } from './embedded-redis.ts'
import type { Logger } from './logger.ts'
import { socketUrl } from './redis-url.ts'

export interface LastingRedisOptions extends Omit<EmbeddedRedisOptions, 'port' | 'socket' | 'readyWithinMs'> {
  /** How long to wait for the first start before going on without; default 10 s. */
  readonly firstWithinMs?: number
  /** Told each time that it has begun to answer. */
  readonly onRunning?: (url: string) => void
}

export interface LastingRedis extends AsyncDisposable {
  readonly url: string
}

/** Before it is started again: `min` for one that answered, `full` when its disk is full, else longer and longer. */
const pauseMs = { min: 100, full: 2_000, failed: 1_000, max: 5_000 }

/** One that answered for so long is told to run. */
const stableMs = 1_000

/** The same reason is told again after this long. */
const reminderMs = 30_000

/**
 * An embedded Redis that is started again whenever it ends or cannot start, for ever, and says why. It listens at a Unix
 * socket in its data directory, which are closed to other users. Resolves when it answers for the first time, or, if that takes
 * longer than `firstWithinMs`, as on a full disk, before.
 * Throws when there is no server program at all, naming every way to one.
 * @throws ConfigurationError when the data directory cannot be used
 */
export async function startLastingRedis(options: LastingRedisOptions): Promise<LastingRedis> {
  const { logger, firstWithinMs = 10_000, onRunning } = options
  await using parts = new AsyncDisposableStack()
  const dataDir = await openDirectory(options.dataDir, logger)
  const socket = await chooseSocket(dataDir, parts)
  // However much it has to read: to kill it would only make it begin anew.
  const readyWithinMs = Number.POSITIVE_INFINITY
  const prepared = await prepareEmbeddedRedis({ ...options, dataDir, socket, readyWithinMs })

  const stopping = new AbortController()
  const { promise: answered, resolve: onAnswer } = Promise.withResolvers<void>()
  const onStart = (url: string) => {
    onRunning?.(url)
    onAnswer()
  }
  const running = keepRunning(prepared, { dataDir, logger, onStart, stopping: stopping.signal })
  parts.defer(() => {
    stopping.abort()
    return running
  })
  const enough = setTimeout(onAnswer, firstWithinMs)
  await answered
  clearTimeout(enough)
  const owned = parts.move()
  return { url: socketUrl(socket), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Makes the directory, or closes one of an earlier version to other users. */
async function openDirectory(path: string, logger: Logger): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const directory = await realpath(path)
    await closeToOthers(directory).catch(() => logger.warn(`Other users may get at what is in ${directory}`))
    return directory
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no reason given'
    throw new ConfigurationError(`The folder of the embedded Redis cannot be used: ${why}`, [])
  }
}

async function closeToOthers(directory: string): Promise<void> {
  await chmod(directory, 0o700)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600).catch(unlessGone)
}

/** A server that still runs makes and removes files. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** In the data directory, else in a directory of its own: some names are too long for a socket, some file systems have none. */
async function chooseSocket(dataDir: string, parts: AsyncDisposableStack): Promise<string> {
  if (await takesSocket(join(dataDir, 'probe.sock'))) return join(dataDir, 'redis.sock')
  const directory = await mkdtemp(join(tmpdir(), 'tieline-redis-'))
  parts.defer(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'redis.sock')
}

/** Systems take no longer path for a socket than 107 bytes, some 103. */
const socketPathBytesMax = 103

async function takesSocket(path: string): Promise<boolean> {
  if (Buffer.byteLength(path) > socketPathBytesMax) return false
  await rm(path, { force: true })
  const server = createServer().listen(path)
  try {
    await once(server, 'listening')
    server.close()
    return true
  } catch {
    return false
  }
}

interface Keeping {
  readonly dataDir: string
  readonly logger: Logger
  readonly onStart: (url: string) => void
  readonly stopping: AbortSignal
}

/** Resolves when it was told to stop and the server has ended. */
async function keepRunning(prepared: PreparedRedis, { dataDir, logger, onStart, stopping }: Keeping): Promise<void> {
  const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>()
  stopping.addEventListener('abort', () => onStop())
  const reminder = createReminder()
  let failures = 0
  while (!stopping.aborted) {
    const begunMs = performance.now()
    let startMs: number | undefined
    const ending = await runOnce(prepared, stopping, stopped, {
      onStart(url) {
        startMs = performance.now() - begunMs
        onStart(url)
      },
      onStable(url) {
        reminder.forget()
        logger.info({ redis: url, dataDir }, `The embedded Redis (${prepared.source}) runs at ${url}`)
      },
    })
    if (stopping.aborted) return
    failures = startMs === undefined ? failures + 1 : 0
    const full = await isFull(dataDir)
    const reason = full ? `the disk of ${dataDir} is full` : ending
    if (reminder.isDue(reason))
      logger.error({ ending }, `The embedded Redis does not run, and is tried again: ${reason}`)
    await delay(pauseFor({ full, failures, startMs }), undefined, { signal: stopping }).catch(() => undefined)
  }
}

/** What it takes to read the data again counts: no more than half of the time shall go into that. */
function pauseFor({ full, failures, startMs = 0 }: { full: boolean; failures: number; startMs?: number | undefined }) {
  if (full) return pauseMs.full
  if (failures === 0) return Math.max(pauseMs.min, startMs)
  return Math.min(pauseMs.failed * 2 ** (failures - 1), pauseMs.max)
}

/** Starts the server and waits for its end. Returns why it ended, or did not start. */
async function runOnce(
  { start }: PreparedRedis,
  stopping: AbortSignal,
  stopped: Promise<void>,
  { onStart, onStable }: Record<'onStart' | 'onStable', (url: string) => void>,
): Promise<string> {
  try {
    await using server = await start(stopping)
    onStart(server.url)
    const stable = setTimeout(onStable, stableMs, server.url)
    await Promise.race([server.ended ?? stopped, stopped])
    clearTimeout(stable)
    return server.lastWords?.() ?? 'it ended'
  } catch (error) {
    return error instanceof Error ? error.message : 'no reason given'
  }
}

/** Keeps a reason that comes again and again from filling the log. */
function createReminder() {
  let last = { text: '', atMs: Number.NEGATIVE_INFINITY }
  return {
    isDue(text: string): boolean {
      const atMs = performance.now()
      if (text === last.text && atMs - last.atMs < reminderMs) return false
      last = { text, atMs }
      return true
    },
    forget() {
      last = { text: '', atMs: Number.NEGATIVE_INFINITY }
    },
  }
}

/** What a server cannot go on without. */
const roomBytesMin = 1024 ** 2

async function isFull(directory: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize < roomBytesMin
  } catch {
    return false
  }
}
