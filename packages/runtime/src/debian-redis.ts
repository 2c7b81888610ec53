import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { onPath, run } from './programs.ts'

export interface UnpackedRedis {
  readonly binary: string
  /** The environment in which the binary finds the libraries that were unpacked with it. */
  readonly env: NodeJS.ProcessEnv
}

/** A server of the distribution. */
export interface DebianServer {
  /** Name of its program. */
  readonly program: string
  /** The packages that hold it. */
  readonly packages: readonly string[]
  /** Folder of the cache directory that keeps it. */
  readonly folder: string
  /** More options for `apt-get`, such as for another suite; given a directory for files of its own. */
  readonly aptOptions?: (directory: string, env: NodeJS.ProcessEnv) => Promise<Record<string, string>>
}

// redis-server alone is a link to a file of redis-tools.
const redis: DebianServer = {
  program: 'redis-server',
  packages: ['redis-server', 'redis-tools'],
  folder: `debian-${process.arch}`,
}

/**
 * The Redis of the Debian or Ubuntu that this machine runs, downloaded and unpacked into the cache directory: nothing
 * is installed and no root is needed. A later call finds what an earlier one unpacked. Throws when the system has no
 * `apt-get`, when its archive cannot be reached, or when what was unpacked does not run.
 */
export const unpackDebianRedis = (cacheDir: string, env: NodeJS.ProcessEnv): Promise<UnpackedRedis> =>
  unpackDebianServer(redis, cacheDir, env)

/** The same for any server. */
export async function unpackDebianServer(
  server: DebianServer,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<UnpackedRedis> {
  const directory = join(cacheDir, server.folder)
  const runnable = (place: string) => findRunnable(server.program, place, env)
  const kept = await runnable(directory).catch(() => undefined)
  if (kept !== undefined) return kept

  for (const tool of ['apt-get', 'dpkg-deb']) {
    if ((await onPath(tool, env)) === undefined) throw new Error(`${tool} is not on the PATH`)
  }
  await mkdir(cacheDir, { recursive: true })
  // Unpacked aside and moved into place whole, so that processes that start at once never see half of it.
  const aside = await mkdtemp(join(cacheDir, 'unpacking-'))
  try {
    const root = join(aside, 'root')
    for (const file of await download(server, aside, env)) await run('dpkg-deb', ['-x', file, root], { env })
    await runnable(root)
    return await moveIntoPlace(root, directory, runnable)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** The unpacked server, once it has shown that it runs with what the system and the directory hold. */
async function findRunnable(
  program: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<UnpackedRedis> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  const server = files.find((file) => file.name === program && file.parentPath.endsWith('/bin'))
  if (server === undefined) throw new Error(`the packages hold no ${program}`)
  const libraries = new Set(files.filter((file) => file.name.includes('.so')).map((file) => file.parentPath))
  const binary = join(server.parentPath, server.name)
  const env = { ...environment, LD_LIBRARY_PATH: [...libraries].join(':') }
  await run(binary, ['--version'], { env })
  return { binary, env }
}

/** Moves what was unpacked into place, unless another process was faster. Several may replace a broken one at once. */
async function moveIntoPlace(
  root: string,
  directory: string,
  runnable: (place: string) => Promise<UnpackedRedis>,
): Promise<UnpackedRedis> {
  for (let tries = 1; ; tries++) {
    const moved = await rename(root, directory).then(
      () => true,
      (error: Error) => error,
    )
    // Another process may be replacing it in this very moment: hence tried again.
    const inPlace = await runnable(directory).catch((error: Error) => error)
    if (!(inPlace instanceof Error)) return inPlace
    if (tries === 5) throw moved === true ? inPlace : moved
    // What stands there no longer runs, after an upgrade of the system for instance.
    if (moved !== true) await rename(directory, `${root}.broken-${tries}`).catch(() => undefined)
  }
}

/** Downloads the server and every library that this system lacks for it; returns the package files. */
async function download(
  { packages, aptOptions }: DebianServer,
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<string[]> {
  const archives = join(directory, 'archives')
  const lists = join(directory, 'lists')
  for (const place of [archives, lists]) await mkdir(join(place, 'partial'), { recursive: true })
  const env = { ...environment, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  const common = {
    ...unprivileged,
    'Dir::Cache': directory,
    'Dir::Log': directory,
    ...(await aptOptions?.(directory, env)),
  }
  const apt = (own: Record<string, string>, ...args: string[]) =>
    run('apt-get', [...options({ ...common, ...own }), ...args], { env, timeoutMs: 180_000 })
  // One of them may be installed already: hence reinstall.
  const install = ['--yes', '--no-install-recommends', '--reinstall', '--download-only', 'install', ...packages]
  try {
    await apt({}, ...install)
  } catch {
    // The system's package lists are missing, or name versions that the archive no longer holds: use lists of our own.
    await apt({ 'Dir::State::lists': lists }, 'update')
    await apt({ 'Dir::State::lists': lists }, ...install)
  }
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).map((name) => join(archives, name))
}

/** Lets apt work without root: no system-wide locks, no change of user, no caches outside our directory. */
const unprivileged = {
  'Debug::NoLocking': 'true',
  'APT::Sandbox::User': 'root',
  'Dir::Cache::pkgcache': '',
  'Dir::Cache::srcpkgcache': '',
  'Acquire::Languages': 'none',
  'Acquire::Retries': '1',
  'Acquire::http::Timeout': '15',
  'Acquire::https::Timeout': '15',
}

const options = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])
