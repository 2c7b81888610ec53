import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { onPath, run } from './programs.ts'
import { untilRedisAnswers } from './redis-answers.ts'
import { follow, freePort, redisArguments, stopProcess } from './redis-process.ts'

const image = 'redis:7'

/** Makes sure that Docker answers and has the image, which it downloads the first time. Throws when it does not. */
export async function prepareDocker(env: NodeJS.ProcessEnv): Promise<void> {
  if ((await onPath('docker', env)) === undefined) throw new Error('docker is not on the PATH')
  await run('docker', ['version', '--format', '{{.Server.Version}}'], { env })
  await run('docker', ['image', 'inspect', image], { env }).catch(() =>
    run('docker', ['pull', '--quiet', image], { env, timeoutMs: 300_000 }),
  )
}

/**
 * Runs Redis in a container with the data directory mounted and the port published on 127.0.0.1 alone.
 * The container's name derives from the directory, so that Docker refuses a second one on the same data.
 */
export async function startDockerRedis(options: {
  dataDir: string
  env: NodeJS.ProcessEnv
  port?: number
}): Promise<{ url: string; ended: Promise<void> } & AsyncDisposable> {
  await mkdir(options.dataDir, { recursive: true })
  const dataDir = await realpath(options.dataDir)
  const port = options.port ?? (await freePort())
  const name = `tieline-redis-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`
  // The data belongs to who runs this, not to the image's user.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const container = ['--rm', '--name', name, '--user', user, '--publish', `127.0.0.1:${port}:6379`]
  const server = redisArguments({ port: 6379, bind: '0.0.0.0', dataDir: '/data' })
  const child = spawn(
    'docker',
    ['run', ...container, '--volume', `${dataDir}:/data`, image, 'redis-server', ...server, '--protected-mode', 'no'],
    { env: options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const { ended, closed, lastWords } = follow(child)
  const stop = () => stopProcess(child, ended, 15_000)

  const giveUp = new AbortController()
  const endedEarly = closed.then(() => Promise.reject(new Error(`Redis did not start in Docker: ${lastWords()}`)))
  try {
    await Promise.race([endedEarly, untilRedisAnswers(port, { withinMs: 60_000, signal: giveUp.signal })])
  } catch (error) {
    giveUp.abort()
    await stop()
    throw error
  }
  return { url: `redis://127.0.0.1:${port}`, ended, [Symbol.asyncDispose]: stop }
}
