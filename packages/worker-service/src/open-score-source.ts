import type { ConfigProps } from '@tieline/lookups/config-props'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { never, TielineError } from '@tieline/runtime/error'
import type { Installation } from '@tieline/runtime/installation'
import { createDirectorySource } from '@tieline/targets/directory-source'
import type { FileSource } from '@tieline/targets/file-source'
import { createOciClient } from '@tieline/targets/oci-client'
import { createOciSource } from '@tieline/targets/oci-source'
import { createPause, type Pause } from '@tieline/targets/pause'
import { createSftpSource } from '@tieline/targets/sftp-source'

export type OpenScoreSource = (
  name: string,
  connections: Installation['connections'],
  properties: ConfigProps,
) => Promise<FileSource>

/** Opens sources that know of each other's refused logins: a storm of those locks accounts. */
export function createScoreSources({
  pauseMs = 60_000,
}: {
  readonly pauseMs?: number | undefined
} = {}): OpenScoreSource {
  // By the whole connection, so that a mended one is not held back.
  const pauses = new Map<string, Pause>()
  return (name, connections, properties) => {
    const identity = JSON.stringify([name, connections[name]])
    const pause = pauses.get(identity) ?? createPause({ pauseMs })
    pauses.set(identity, pause)
    return openScoreSource(name, connections, properties, pause)
  }
}

/**
 * The place of a transfer's score files: the connection says where, ConfigProps which directory or bucket.
 * @throws TielineError `lookup-missing` naming the property, `transfer-unusable` for a connection that is not there any more or
 * whose key cannot be read
 */
export async function openScoreSource(
  name: string,
  connections: Installation['connections'],
  properties: ConfigProps,
  pause?: Pause,
): Promise<FileSource> {
  try {
    return await open(name, connections[name], properties, pause)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new TielineError('transfer-unusable', never, error.message, { cause: error })
  }
}

type Connection = Installation['connections'][string]

async function open(
  name: string,
  connection: Connection | undefined,
  properties: ConfigProps,
  pause: Pause | undefined,
): Promise<FileSource> {
  switch (connection?.kind) {
    case 'sftp': {
      const directory = required(properties, 'dacs.dvcScore.ftp.input.directory')
      return createSftpSource({ ...connection, connection: name, directory, ...(pause && { pause }) })
    }
    case 'oci-object-storage': {
      const namespace = required(properties, 'dacs.os.namespace')
      const bucket = required(properties, 'dacs.os.dvcScore.bucketname')
      return createOciSource({ client: await createOciClient({ ...connection, connection: name }), bucket, namespace })
    }
    case 'directory':
      return createDirectorySource({ connection: name, directory: connection.path })
    default:
      throw new TielineError('transfer-unusable', never, `There is no source of files called "${name}"`)
  }
}

type Place = 'dacs.dvcScore.ftp.input.directory' | 'dacs.os.namespace' | 'dacs.os.dvcScore.bucketname'

function required(properties: ConfigProps, name: Place): string {
  const value = properties[name]
  if (value !== undefined) return value
  throw new TielineError('lookup-missing', never, `ConfigProps has no value for ${name}`)
}
