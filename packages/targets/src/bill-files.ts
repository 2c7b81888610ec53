import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import { createDirectorySource } from './directory-source.ts'
import type { FileReader } from './file-source.ts'
import { createOciClient } from './oci-client.ts'
import { createOciSource } from './oci-source.ts'
import { createS3Client } from './s3-client.ts'
import { createS3Reader } from './s3-reader.ts'
import { createSftpSource } from './sftp-source.ts'

/** Section `bills` of the installation file. */
export type BillsSection = NonNullable<Installation['bills']>

/**
 * Opens the place of the bills; nothing is connected yet.
 * @param timeoutMs longest wait for each answer
 * @param logger told when a key or certificate changes, or cannot be read any more
 * @throws ConfigurationError when a private key cannot be read or used
 */
export async function openBillFiles(
  section: BillsSection['source'],
  connections: Installation['connections'],
  timeoutMs: number,
  logger?: Pick<Logger, 'info' | 'warn'>,
): Promise<FileReader> {
  if (section.kind === 'directory')
    return createDirectorySource({ connection: 'bills', directory: section.path, folders: true })
  const name = section.connection
  const connection = connections[name]
  if (section.kind === 'sftp' && connection?.kind === 'sftp') {
    return createSftpSource({
      ...connection,
      connection: name,
      directory: section.path,
      timeoutMs,
      folders: true,
      logger,
    })
  }
  if (section.kind === 'oci-object-storage' && connection?.kind === 'oci-object-storage') {
    const client = await createOciClient({ ...connection, connection: name, timeoutMs, logger })
    return createOciSource({ client, bucket: section.bucket, folders: true })
  }
  if (section.kind === 's3' && connection?.kind === 's3') {
    const client = await createS3Client({ ...connection, connection: name, bucket: section.bucket, timeoutMs, logger })
    return createS3Reader({ client, folders: true })
  }
  const rule = `must name a connection of kind ${section.kind}`
  throw new ConfigurationError('The bills cannot be reached', [{ path: 'bills.source.connection', rule }])
}
