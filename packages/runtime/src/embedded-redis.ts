import { prepareDocker, startDockerRedis } from './docker-redis.ts'
import type { Logger } from './logger.ts'
import { firstThatWorks, type RedisBinary, redisBinaryWays, type SearchPlace, type Way } from './redis-binary.ts'
import { redisArguments, startRedisProcess } from './redis-process.ts'

/** Starts a container that runs `redis-server` with these arguments on port 6379; for tests, which keep no data. */
export type StartContainer = (args: readonly string[]) => Promise<{ url: string } & AsyncDisposable>

export interface EmbeddedRedisOptions extends SearchPlace {
  /** Where the append-only file lives. */
  readonly dataDir: string
  readonly logger: Logger
  /** Default: any free port. */
  readonly port?: number
  /** Path of a Unix socket to listen at instead of a port; only the user who runs the server can use it. */
  readonly socket?: string
  /** Memory that the data may take, as Redis writes it (`512mb`); default: no limit. */
  readonly maxMemory?: string
  /** How tests start a container (testcontainers); without it `docker run` is used, with the data directory mounted. */
  readonly containers?: StartContainer
  /** How long a server may take to answer, reading its data included; default 60 s. */
  readonly readyWithinMs?: number
}

export interface EmbeddedRedis extends AsyncDisposable {
  readonly url: string
  /** Where the server came from, for people. */
  readonly source: string
  /** Absent when the server runs in a container. */
  readonly pid?: number
  /** Resolves when the server has ended, for whatever reason. Absent: nobody watches it, as with the containers of tests. */
  readonly ended?: Promise<void>
  /** What it wrote to its log at last. */
  readonly lastWords?: () => string
}

/** A server that was found, to be started as often as need be. */
export interface PreparedRedis {
  readonly source: string
  /** @throws the server's last words, when it does not start */
  readonly start: (signal?: AbortSignal) => Promise<EmbeddedRedis>
}

/**
 * Starts a private Redis with the first of these that works: a server on the PATH, the package of Debian or Ubuntu
 * unpacked into the cache directory, a container. It keeps what it confirms and listens on 127.0.0.1 only, or at a socket.
 * Throws one error naming every way and why it did not work.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { logger, dataDir } = options
  const { source, start } = await prepareEmbeddedRedis(options)
  // Whatever goes wrong from here, a directory in use for instance, another way would not mend.
  const server = await start()
  logger.info({ redis: server.url, source, dataDir }, `Started an embedded Redis (${source}) on ${server.url}`)
  return server
}

/** Finds the server that `startEmbeddedRedis` starts, with the same error when there is none. */
export async function prepareEmbeddedRedis(options: EmbeddedRedisOptions): Promise<PreparedRedis> {
  const { dataDir, containers, port, socket, maxMemory, readyWithinMs, env = process.env } = options
  const extraArgs = maxMemory === undefined ? [] : ['--maxmemory', maxMemory]
  const place = {
    dataDir,
    extraArgs,
    ...(port !== undefined && { port }),
    ...(socket !== undefined && { socket }),
    ...(readyWithinMs !== undefined && { readyWithinMs }),
  }
  const withBinary = ([name, find]: Way<RedisBinary>): Way<PreparedRedis> => [
    name,
    async () => {
      const { source, ...found } = await find()
      const start = async (signal?: AbortSignal) => ({
        source,
        ...(await startRedisProcess({ ...found, ...place, ...(signal && { signal }) })),
      })
      return { source, start }
    },
  ]
  const { installed, debian } = redisBinaryWays(options)
  return firstThatWorks('No Redis could be started. Set REDIS_URL to use an existing one.', [
    withBinary(installed),
    withBinary(debian),
    containers === undefined ? dockerWay({ ...place, env }) : containerWay(containers),
  ])
}

const dockerWay = (place: Parameters<typeof startDockerRedis>[0]): Way<PreparedRedis> => [
  'docker run',
  async () => {
    await prepareDocker(place.env)
    const source = 'docker'
    const start = async (signal?: AbortSignal) => ({
      source,
      ...(await startDockerRedis({ ...place, ...(signal && { signal }) })),
    })
    return { source, start }
  },
]

const containerWay = (startContainer: StartContainer): Way<PreparedRedis> => [
  'a test container',
  async () => {
    const args = redisArguments({ port: 6379, bind: '0.0.0.0', dataDir: '/data' })
    const source = 'test container'
    const container = await startContainer([...args, '--protected-mode', 'no'])
    return { source, start: async () => ({ source, ...container }) }
  },
]
