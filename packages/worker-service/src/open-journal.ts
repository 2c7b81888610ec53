import { join } from 'node:path'
import { createFilePayloadStore } from '@tieline/journal/file-payload-store'
import { createJournal, type Journal } from '@tieline/journal/journal'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { ServiceSettings } from './read-settings.ts'

/**
 * The journal of an installation, as every service opens it.
 * @throws ConfigurationError when payloads shall go where nothing can put them yet
 */
export async function openJournal(
  { environment, installation }: ServiceSettings,
  redis: RedisConnection,
  logger: Logger,
): Promise<Journal> {
  const { payloads } = installation
  if (payloads.kind !== 'fs') {
    throw new ConfigurationError('The installation file cannot be used', [
      { path: 'payloads.kind', rule: 'must be fs: nothing else is available yet' },
    ])
  }
  if (environment.payloadKeys.length === 0) {
    logger.warn('TIELINE_PAYLOAD_KEYS is not set: payloads, replies and error texts are kept unencrypted')
  }
  return createJournal({
    redis,
    installation: installation.installation.name,
    payloadKeys: environment.payloadKeys,
    payloadStore: createFilePayloadStore(join(payloads.path, installation.installation.name)),
    retention: installation.retention,
    logger,
  })
}
