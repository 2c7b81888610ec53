import { join } from 'node:path'
import { freePort, type RedisProcess, startRedisProcess } from '@tieline/runtime/redis-process'
import { Redis } from 'ioredis'

/** A server program, and the environment in which it runs. */
export interface ServerProgram {
  readonly binary: string
  readonly env: NodeJS.ProcessEnv
}

export interface ReplicationOptions {
  /** Of each master. */
  readonly replicas: number
  /** How long a master may be silent before another one takes its place. */
  readonly noticeAfterMs: number
}

/** Servers that belong together, by port. Each keeps its data in a folder of its own, also when it is killed. */
export interface RedisNodes extends AsyncDisposable {
  start(args: readonly string[], port?: number): Promise<number>
  /** @throws when nothing runs on the port */
  kill(port: number, signal: NodeJS.Signals): Promise<void>
  ports(): number[]
}

export function createRedisNodes(program: ServerProgram, directory: string): RedisNodes {
  const running = new Map<number, RedisProcess>()
  return {
    async start(args, port) {
      const chosen = port ?? (await freePort())
      const dataDir = join(directory, String(chosen))
      const node = await startRedisProcess({ ...program, dataDir, port: chosen, extraArgs: args })
      running.set(chosen, node)
      return chosen
    },
    async kill(port, signal) {
      const node = running.get(port)
      if (node === undefined) throw new Error(`No Redis runs on port ${port}`)
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') running.delete(port)
      await node.kill(signal)
    },
    ports: () => [...running.keys()],
    async [Symbol.asyncDispose]() {
      // One that is stopped cannot end.
      for (const node of running.values()) node.process.kill('SIGCONT')
      await Promise.all([...running.values()].map((node) => node[Symbol.asyncDispose]()))
    },
  }
}

/** Asks one server over a connection of its own. */
export async function askNode<T>(port: number, question: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis({ port, host: '127.0.0.1', retryStrategy: null, commandTimeout: 2_000 })
  node.on('error', () => {})
  try {
    return await question(node)
  } finally {
    node.disconnect()
  }
}

/** Waits until something is so; an error means not yet. */
export async function untilSo(what: string, isSo: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
