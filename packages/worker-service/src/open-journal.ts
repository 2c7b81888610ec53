import { join } from 'node:path'
import { createJournal, type Journal } from '@tieline/journal/journal'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { ServiceSettings } from './read-settings.ts'

/** The journal of an installation, as every service opens it. */
export function openJournal(
  { environment, installation }: ServiceSettings,
  redis: RedisConnection,
  logger: Logger,
): Journal {
  const { payloads } = installation
  if (environment.payloadKeys.length === 0) {
    logger.warn('TIELINE_PAYLOAD_KEYS is not set: payloads, replies and error texts are kept unencrypted')
  }
  return createJournal({
    redis,
    installation: installation.installation.name,
    payloadKeys: environment.payloadKeys,
    payloadDirectory: payloads.kind === 'fs' ? payloads.path : join(environment.dataDir, 'payloads'),
    retention: installation.retention,
    logger,
  })
}
