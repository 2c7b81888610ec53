import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { unpackDebianServer } from '@tieline/runtime/debian-redis'
import { onPath } from '@tieline/runtime/programs'
import { root } from '@tieline/tools/generate'

/** Runs promtool in the root of the project and returns what it printed. @throws Error when it finds something wrong */
export type Promtool = (args: readonly string[], input?: string) => string

/**
 * The tool that comes with Prometheus: the one on the PATH, else that of the package of Debian or Ubuntu, unpacked into the cache
 * directory and not installed.
 * @throws Error when there is neither
 */
export async function findPromtool(env = process.env): Promise<Promtool> {
  const installed = await onPath('promtool', env)
  const binary = installed ?? (await unpackDebianServer(prometheus, join(root, '.cache'), env)).binary
  return (args, input = '') => execFileSync(binary, args, { cwd: root, input, encoding: 'utf8', stdio: 'pipe' })
}

const prometheus = { program: 'promtool', packages: ['prometheus'], folder: 'promtool' }
