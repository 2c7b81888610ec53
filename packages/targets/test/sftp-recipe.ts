import type { SftpServer } from '@tieline/simulators/sftp-server'
import type { SftpSourceOptions } from '../src/sftp-source.ts'

/** A connection to the simulator, as the installation file would have it. */
export const recipeFor = (
  { host, port, hostKey }: Pick<SftpServer, 'host' | 'port'> & Pick<SftpSourceOptions, 'hostKey'>,
  options: Partial<SftpSourceOptions> = {},
) => ({
  kind: 'sftp' as const,
  connection: 'DACS_FILES',
  host,
  port,
  hostKey,
  username: 'tieline',
  proxy: '',
  directory: '',
  ...options,
})
