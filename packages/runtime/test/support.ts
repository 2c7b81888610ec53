import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Logger } from '../src/logger.ts'
import { findRedisBinary } from '../src/redis-binary.ts'
import { type RedisProcess, type RedisProcessOptions, startRedisProcess } from '../src/redis-process.ts'

/** An empty directory that is removed again. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'tieline-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A Redis of its own for one test. */
export async function startRedis(
  options: Partial<RedisProcessOptions> = {},
): Promise<RedisProcess & { dataDir: string; restart: () => Promise<RedisProcess> }> {
  const { binary, env } = await findRedisBinary()
  const directory = await temporaryDirectory()
  const all = { binary, env, dataDir: directory.path, ...options }
  await using stack = new AsyncDisposableStack()
  stack.use(directory)
  const server = stack.use(await startRedisProcess(all))
  const running = stack.move()
  return {
    ...server,
    dataDir: all.dataDir,
    restart: async () => running.use(await startRedisProcess({ ...all, port: server.port })),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A logger and the lines it wrote. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { logger: createLogger({ service: 'test', level: 'debug', destination }), lines }
}

/** Waits until something is so; fails after ten seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('It did not become so within 10 s.')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
