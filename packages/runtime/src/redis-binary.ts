import { join } from 'node:path'
import { ConfigurationError } from './configuration-error.ts'
import { unpackDebianRedis } from './debian-redis.ts'
import { onPath, run } from './programs.ts'

export interface RedisBinary {
  readonly binary: string
  readonly env: NodeJS.ProcessEnv
  /** Where it came from, for people. */
  readonly source: string
}

export interface SearchPlace {
  /** Where a downloaded or built server is kept; default `.cache/redis` of the checkout. */
  readonly cacheDir?: string
  /** Its PATH is searched; default the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/** One way to a thing, and its name for the error that lists all ways. */
export type Way<T> = readonly [name: string, take: () => Promise<T>]

/**
 * A Redis server program for those who start, kill and restart one: from the PATH, else the distribution's package
 * unpacked into the cache directory. Throws one error naming both ways and why they did not work.
 */
export async function findRedisBinary(place: SearchPlace = {}): Promise<RedisBinary> {
  const { installed, debian } = redisBinaryWays(place)
  return firstThatWorks('No Redis server found.', [installed, debian])
}

export function redisBinaryWays({ cacheDir = defaultCacheDir, env = process.env }: SearchPlace) {
  return {
    installed: ['redis-server or valkey-server on the PATH', () => findInstalled(env)],
    debian: [
      'the package of Debian or Ubuntu, unpacked',
      async () => ({ ...(await unpackDebianRedis(cacheDir, env)), source: 'unpacked Debian package' }),
    ],
  } as const satisfies Record<string, Way<RedisBinary>>
}

/** Tries one way after another. Throws one error that lists them all when none works. */
export async function firstThatWorks<T>(complaint: string, ways: readonly Way<T>[]): Promise<T> {
  const failures: string[] = []
  for (const [name, take] of ways) {
    try {
      return await take()
    } catch (error) {
      failures.push(`${name} (${error instanceof Error ? error.message : 'failed'})`)
    }
  }
  throw new ConfigurationError(`${complaint} Tried: ${failures.join('; ')}.`, [])
}

const defaultCacheDir = join(import.meta.dirname, '../../../.cache/redis')

async function findInstalled(env: NodeJS.ProcessEnv): Promise<RedisBinary> {
  const binary = (await onPath('redis-server', env)) ?? (await onPath('valkey-server', env))
  if (binary === undefined) throw new Error('neither is there')
  const [version = '', major = '0', minor = '0'] =
    /v=(\d+)\.(\d+)/.exec(await run(binary, ['--version'], { env })) ?? []
  // BullMQ asks for 6.2; older ones lack commands it uses.
  if (Number(major) * 100 + Number(minor) < 602) throw new Error(`${binary} ${version} is older than 6.2`)
  return { binary, env, source: binary }
}
