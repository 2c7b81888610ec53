import { join } from 'node:path'
import { createFilePayloadStore } from '@tieline/journal/files/file-payload-store'
import type { PayloadStore } from '@tieline/journal/files/payload-store'
import { createJournal, type Journal } from '@tieline/journal/journal'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Installation } from '@tieline/runtime/installation'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { Tracer } from '@tieline/runtime/telemetry'
import { createOciClient } from '@tieline/targets/oci-client'
import { createOciPayloadStore } from '@tieline/targets/oci-payload-store'
import type { ServiceSettings } from './read-settings.ts'

export interface JournalExtras {
  /** Milliseconds since 1970; tests move it. */
  readonly clock?: (() => number) | undefined
  readonly tracer?: Tracer | undefined
}

/**
 * The journal of an installation, as every service opens it.
 * @throws ConfigurationError when the key of the bucket for large payloads cannot be used
 */
export async function openJournal(
  { environment, installation }: ServiceSettings,
  redis: RedisConnection,
  logger: Logger,
  { clock, tracer }: JournalExtras = {},
): Promise<Journal> {
  if (environment.payloadKeys.length === 0) {
    logger.warn('TIELINE_PAYLOAD_KEYS is not set: payloads, replies and error texts are kept unencrypted')
  }
  await using parts = new AsyncDisposableStack()
  const payloadStore = await openPayloadStore(installation, parts, logger)
  const journal = parts.use(
    createJournal({
      redis,
      installation: installation.installation.name,
      payloadKeys: environment.payloadKeys,
      payloadStore,
      retention: installation.retention,
      mailDetails: installation.mail?.details ?? false,
      logger,
      ...(clock && { clock }),
      ...(tracer && { tracer }),
    }),
  )
  const owned = parts.move()
  return { ...journal, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/**
 * Where large payloads go. Several installations may share a directory or a bucket.
 * @throws ConfigurationError
 */
export async function openPayloadStore(
  { payloads, connections, installation: { name } }: Installation,
  parts: AsyncDisposableStack,
  logger?: Logger,
): Promise<PayloadStore> {
  if (payloads.kind === 'fs') return createFilePayloadStore(join(payloads.path, name))
  const connection = connections[payloads.connection]
  if (connection?.kind !== 'oci-object-storage') {
    const rule = 'must name a connection of kind oci-object-storage'
    throw new ConfigurationError('The installation file cannot be used', [{ path: 'payloads.connection', rule }])
  }
  const client = await createOciClient({ ...connection, connection: payloads.connection, logger })
  return parts.use(createOciPayloadStore({ client, bucket: payloads.bucket, prefix: `${name}/` }))
}
