import { prepareDocker, startDockerRedis } from './docker-redis.ts'
import type { Logger } from './logger.ts'
import { firstThatWorks, type RedisBinary, redisBinaryWays, type Way } from './redis-binary.ts'
import { redisArguments, startRedisProcess } from './redis-process.ts'

/** Starts a container that runs `redis-server` with these arguments on port 6379; for tests, which keep no data. */
export type StartContainer = (args: readonly string[]) => Promise<{ url: string } & AsyncDisposable>

export interface EmbeddedRedisOptions {
  /** Where the append-only file lives. */
  readonly dataDir: string
  readonly logger: Logger
  /** Default: any free port. */
  readonly port?: number
  /** How tests start a container (testcontainers); without it `docker run` is used, with the data directory mounted. */
  readonly containers?: StartContainer
  /** Where a downloaded or built server is kept; default `.cache/redis` of the checkout. */
  readonly cacheDir?: string
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

export interface EmbeddedRedis extends AsyncDisposable {
  readonly url: string
  /** Where the server came from, for people. */
  readonly source: string
  /** Absent when the server runs in a container. */
  readonly pid?: number
  /** Resolves when the server has ended, for whatever reason. Absent: nobody watches it, as with the containers of tests. */
  readonly ended?: Promise<void>
}

/**
 * Starts a private Redis with the first of these that works: a server on the PATH, the package of Debian or Ubuntu
 * unpacked into the cache directory, a container, a server built from source. It keeps what it confirms and listens on
 * 127.0.0.1 only. Throws one error naming every way and why it did not work.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { dataDir, logger, containers, port, env = process.env } = options
  const place = { dataDir, ...(port !== undefined && { port }) }
  const withBinary = ([name, find]: Way<RedisBinary>): Way<Prepared> => [
    name,
    async () => {
      const { source, ...found } = await find()
      return { source, start: () => startRedisProcess({ ...found, ...place }) }
    },
  ]
  const { installed, debian, built } = redisBinaryWays(options)
  const { source, start } = await firstThatWorks('No Redis could be started. Set REDIS_URL to use an existing one.', [
    withBinary(installed),
    withBinary(debian),
    containers === undefined ? dockerWay({ ...place, env }) : containerWay(containers),
    withBinary(built),
  ])
  // Whatever goes wrong from here, a directory in use for instance, another way would not mend.
  const server = await start()
  logger.info({ redis: server.url, source, dataDir }, `Started an embedded Redis (${source}) on ${server.url}`)
  const { url, pid, ended } = server
  const stop = () => server[Symbol.asyncDispose]()
  return { url, source, ...(pid !== undefined && { pid }), ...(ended && { ended }), [Symbol.asyncDispose]: stop }
}

interface Prepared {
  readonly source: string
  readonly start: () => Promise<{ url: string; pid?: number; ended?: Promise<void> } & AsyncDisposable>
}

const dockerWay = (place: Parameters<typeof startDockerRedis>[0]): Way<Prepared> => [
  'docker run',
  async () => {
    await prepareDocker(place.env)
    return { source: 'docker', start: () => startDockerRedis(place) }
  },
]

const containerWay = (startContainer: StartContainer): Way<Prepared> => [
  'a test container',
  async () => {
    const args = redisArguments({ port: 6379, bind: '0.0.0.0', dataDir: '/data' })
    const container = await startContainer([...args, '--protected-mode', 'no'])
    return { source: 'test container', start: async () => container }
  },
]
