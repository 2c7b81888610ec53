import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import type { ReaderOptions } from '../src/file-source.ts'
import { startCuttingProxy } from './cutting-proxy.ts'
import { closedPort } from './far-side.ts'
import { createFileFolder } from './file-folder.ts'
import { describeFolders, type FolderUnderTest } from './file-source-folders.ts'
import { describeNetwork, type RemoteUnderTest } from './file-source-network.ts'
import { openSource } from './file-source-program.ts'
import { describeFileSource } from './file-source-suite.ts'
import { findSshd } from './find-sshd.ts'
import { type OpenSsh, startOpenSsh } from './openssh.ts'
import { newSshKey } from './ssh-keys.ts'

const found = await findSshd()
  .then(startOpenSsh)
  .catch((error: Error) => error)
const server = found instanceof Error ? undefined : found
const name = found instanceof Error ? `a directory of OpenSSH (skipped: ${found.message})` : 'a directory of OpenSSH'

afterAll(() => server?.[Symbol.asyncDispose]())

const setup = (): Promise<FolderUnderTest & RemoteUnderTest> => {
  if (server === undefined) throw new Error('There is no OpenSSH')
  return setUp(server)
}

async function setUp({ hostKey, username, privateKeyFile, owner, port, makeDirectory }: OpenSsh) {
  const proxy = await startCuttingProxy(port)
  const directory = await makeDirectory()
  const recipe = {
    kind: 'sftp',
    connection: 'DACS_FILES',
    host: '127.0.0.1',
    port: proxy.port,
    hostKey,
    username,
    privateKeyFile,
    proxy: '',
    directory,
  } as const
  return {
    ...createFileFolder(directory, owner),
    recipe,
    open: (options?: ReaderOptions) => openSource({ ...recipe, ...options }),
    openBelow: (folder: string) => openSource({ ...recipe, directory: join(directory, folder), folders: true }),
    openMissing: () => openSource({ ...recipe, directory: join(directory, 'missing') }),
    cutAfter: proxy.cutAfter,
    async openWithWrongCredentials() {
      const otherKeyFile = join(directory, 'other_key')
      await writeFile(otherKeyFile, newSshKey().privateKey)
      return openSource({ ...recipe, privateKeyFile: otherKeyFile })
    },
    openWhereNothingListens: async () => openSource({ ...recipe, port: await closedPort() }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}

describe.skipIf(server === undefined)('OpenSSH', () => {
  describeFileSource(name, setup)
  describeFolders(name, setup)
  describeNetwork(name, setup)
})
