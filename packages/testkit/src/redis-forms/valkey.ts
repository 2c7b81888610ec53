import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type DebianServer, unpackDebianServer } from '@tieline/runtime/debian-redis'
import { onPath, run } from '@tieline/runtime/programs'
import { firstThatWorks } from '@tieline/runtime/redis-binary'
import type { ServerProgram } from './redis-nodes.ts'

const cacheDir = join(import.meta.dirname, '../../../../.cache/redis')

/** Valkey from the PATH, else the distribution's package, else its backport; throws one error naming why there is none. */
export const findValkey = (env: NodeJS.ProcessEnv = process.env): Promise<ServerProgram> =>
  firstThatWorks('No Valkey found.', [
    ['valkey-server on the PATH', async () => ({ binary: await required('valkey-server', env), env })],
    ['the package of Debian or Ubuntu, unpacked', () => unpackDebianServer(valkey, cacheDir, env)],
    ['its backport, unpacked', () => unpackDebianServer(backport, cacheDir, env)],
  ])

/**
 * Puts a directory with Valkey as `redis-server` before the PATH of this process, so that tests which start a server of
 * their own get it too.
 */
export async function putOnPath({ binary, env }: ServerProgram, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const program = join(directory, 'redis-server')
  const libraries = env.LD_LIBRARY_PATH ?? ''
  await writeFile(program, `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' exec '${binary}' "$@"\n`)
  await chmod(program, 0o755)
  process.env.PATH = `${directory}${delimiter}${process.env.PATH ?? ''}`
}

const valkey: DebianServer = {
  program: 'valkey-server',
  packages: ['valkey-server', 'valkey-tools'],
  folder: `debian-valkey-${process.arch}`,
}

/** Debian 12 has Valkey in its backports only. They are where the system's own packages are. */
const backport: DebianServer = {
  ...valkey,
  async aptOptions(directory, env) {
    const [, codename = ''] = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8')) ?? []
    const targets = await run(
      'apt-get',
      ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'],
      { env },
    )
    const site = targets
      .split('\n')
      .find((line) => line.endsWith(` ${codename}`))
      ?.split(' ')[0]
    if (codename === '' || site === undefined) throw new Error('the sources of this system name no archive of its own')
    const sources = join(directory, 'sources.list')
    const suites = [codename, `${codename}-backports`]
    await writeFile(sources, suites.map((suite) => `deb ${site} ${suite} main\n`).join(''))
    const lists = join(directory, 'backport-lists')
    await mkdir(join(lists, 'partial'), { recursive: true })
    const options = {
      'Dir::Etc::sourcelist': sources,
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': lists,
      'APT::Default-Release': `${codename}-backports`,
    }
    return options
  },
}

async function required(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const binary = await onPath(name, env)
  if (binary === undefined) throw new Error('it is not there')
  return binary
}
