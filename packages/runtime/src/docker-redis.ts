import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { onPath, run } from './programs.ts'
import { follow, freePort, redisArguments, stopProcess, untilStarted } from './redis-process.ts'
import { socketUrl } from './redis-url.ts'

const image = 'redis:7'

/** Makes sure that Docker answers and has the image, which it downloads the first time. Throws when it does not. */
export async function prepareDocker(env: NodeJS.ProcessEnv): Promise<void> {
  if ((await onPath('docker', env)) === undefined) throw new Error('docker is not on the PATH')
  await run('docker', ['version', '--format', '{{.Server.Version}}'], { env })
  await run('docker', ['image', 'inspect', image], { env }).catch(() =>
    run('docker', ['pull', '--quiet', image], { env, timeoutMs: 300_000 }),
  )
}

export interface DockerRedisOptions {
  readonly dataDir: string
  readonly env: NodeJS.ProcessEnv
  readonly port?: number
  /** Path of a Unix socket to listen at instead of a port. */
  readonly socket?: string
  readonly extraArgs?: readonly string[]
  readonly readyWithinMs?: number
  readonly signal?: AbortSignal
}

/**
 * Runs Redis in a container with the data directory mounted, and the port published on 127.0.0.1 alone or the socket's directory
 * mounted. The container's name derives from the directory, so that Docker refuses a second one on the same data.
 */
export async function startDockerRedis(
  options: DockerRedisOptions,
): Promise<{ url: string; ended: Promise<void>; lastWords: () => string } & AsyncDisposable> {
  const { socket, readyWithinMs = 60_000, signal, extraArgs = [] } = options
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = await realpath(options.dataDir)
  const port = socket === undefined ? (options.port ?? (await freePort())) : 0
  const name = `tieline-redis-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`
  // The data belongs to who runs this, not to the image's user.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const container = ['--rm', '--name', name, '--user', user, '--volume', `${dataDir}:/data`]
  const way = socket === undefined ? throughPort(port) : throughSocket(socket)
  const child = spawn(
    'docker',
    ['run', ...container, ...way.docker, image, 'redis-server', ...way.redis, ...extraArgs],
    {
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const { ended, closed, lastWords } = follow(child)
  const stop = () => stopProcess(child, ended, 15_000)
  try {
    await untilStarted(socket ?? port, { closed, lastWords, withinMs: readyWithinMs, signal })
  } catch (error) {
    await stop()
    throw error
  }
  const url = socket === undefined ? `redis://127.0.0.1:${port}` : socketUrl(socket)
  return { url, ended, lastWords, [Symbol.asyncDispose]: stop }
}

/** How the server in the container is reached: what Docker is told, and what Redis. */
interface Reach {
  readonly docker: readonly string[]
  readonly redis: readonly string[]
}

const throughPort = (port: number): Reach => ({
  docker: ['--publish', `127.0.0.1:${port}:6379`],
  redis: [...redisArguments({ port: 6379, bind: '0.0.0.0', dataDir: '/data' }), '--protected-mode', 'no'],
})

const throughSocket = (socket: string): Reach => ({
  docker: ['--network', 'none', '--volume', `${dirname(socket)}:/socket`],
  redis: redisArguments({ socket: `/socket/${basename(socket)}`, dataDir: '/data' }),
})
