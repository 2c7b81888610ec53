import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPath, run } from '@tieline/runtime/programs'

export interface Sshd {
  readonly binary: string
  /** In which it finds the libraries that were unpacked with it. */
  readonly env: NodeJS.ProcessEnv
  /** Lines of its configuration that name the helpers that were unpacked with it. */
  readonly settings: readonly string[]
}

const cache = fileURLToPath(new URL('../../../.cache/openssh', import.meta.url))

/**
 * The SSH server of this machine; else that of Debian or Ubuntu, unpacked into the cache directory and not installed.
 * @throws Error when there is neither
 */
export async function findSshd(): Promise<Sshd> {
  const { env } = process
  const installed = await onPath('sshd', { ...env, PATH: `${env.PATH}:/usr/sbin:/usr/local/sbin` })
  if (installed !== undefined) return { binary: installed, env, settings: [] }
  return unpacked(cache).catch(async () => {
    await unpack(env)
    return unpacked(cache)
  })
}

/** @throws Error when it is not there */
async function unpacked(root: string): Promise<Sshd> {
  const files = await readdir(root, { recursive: true, withFileTypes: true })
  const find = (name: string) => {
    const file = files.find((entry) => entry.isFile() && entry.name === name)
    return file && join(file.parentPath, name)
  }
  const binary = find('sshd')
  if (binary === undefined) throw new Error('the packages hold no sshd')
  const libraries = new Set(files.filter(({ name }) => name.includes('.so')).map(({ parentPath }) => parentPath))
  // Since OpenSSH 9.8 the server is made of several programs.
  const helpers = [
    ['SshdSessionPath', find('sshd-session')],
    ['SshdAuthPath', find('sshd-auth')],
  ]
  const settings = helpers.flatMap(([name, path]) => (path === undefined ? [] : [`${name} ${path}`]))
  return { binary, env: { ...process.env, LD_LIBRARY_PATH: [...libraries].join(':') }, settings }
}

/** Downloads the server and what this machine lacks for it. Needs no root, and touches nothing of the system. */
async function unpack(env: NodeJS.ProcessEnv): Promise<void> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if ((await onPath(tool, env)) === undefined) throw new Error(`there is no sshd, and no ${tool} to get one with`)
  }
  await mkdir(join(cache, '..'), { recursive: true })
  const aside = await mkdtemp(`${cache}-unpacking-`)
  try {
    const archives = join(aside, 'archives')
    await mkdir(join(archives, 'partial'), { recursive: true })
    const options = ['Debug::NoLocking=true', 'APT::Sandbox::User=root', `Dir::Cache=${aside}`, `Dir::Log=${aside}`]
    const install = ['--yes', '--no-install-recommends', '--download-only', 'install', 'openssh-server']
    const args = [...options.flatMap((option) => ['-o', option]), ...install]
    await run('apt-get', args, { env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 120_000 })
    const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
    for (const name of packages) await run('dpkg-deb', ['-x', join(archives, name), join(aside, 'root')], { env })
    // Moved into place whole, so that runs that start at once never see half of it.
    await rename(join(aside, 'root'), cache).catch(() => unpacked(cache))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
