import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@tieline/runtime/programs'
import { root } from '../generate.ts'

const folder = join(root, 'bench/peers')

/**
 * What people would take instead. Peers are no part of the workspace: they are installed when a measurement needs them.
 * @returns the folder of the peer
 */
export async function installPeer(name: 'node-red' | 'express-bullmq' | 'restate' | 'dbos'): Promise<string> {
  const directory = join(folder, name)
  const isInstalled = await access(join(directory, 'node_modules')).then(
    () => true,
    () => false,
  )
  if (!isInstalled) {
    const options = [
      '--prefix',
      directory,
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--omit=dev',
      '--ignore-scripts',
    ]
    await run('npm', ['install', ...options], { env: process.env, timeoutMs: 300_000 })
  }
  return directory
}
