import { startSftpServer } from '@tieline/simulators/sftp-server'
import { closedPort } from './far-side.ts'
import { createFileFolder } from './file-folder.ts'
import { describeFolders, type FolderUnderTest } from './file-source-folders.ts'
import { describeNetwork, type RemoteUnderTest } from './file-source-network.ts'
import { openSource } from './file-source-program.ts'
import { describeFileSource } from './file-source-suite.ts'
import { recipeFor } from './sftp-recipe.ts'

async function setup(): Promise<FolderUnderTest & RemoteUnderTest> {
  const server = await startSftpServer({ username: 'tieline', password: 'p@ss' })
  const recipe = recipeFor(server, { password: 'p@ss' })
  return {
    ...createFileFolder(server.directory),
    recipe,
    open: (options) => openSource({ ...recipe, ...options }),
    openBelow: (folder) => openSource({ ...recipe, directory: folder, folders: true }),
    openMissing: () => openSource({ ...recipe, directory: '/missing' }),
    cutAfter: server.cutAfter,
    openWithWrongCredentials: () => openSource({ ...recipe, password: 'wrong' }),
    openWhereNothingListens: async () => openSource({ ...recipe, port: await closedPort() }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describeFileSource('a directory of an SFTP server', setup)
describeFolders('a directory of an SFTP server', setup)
describeNetwork('a directory of an SFTP server', setup)
