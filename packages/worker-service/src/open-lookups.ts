import { type LookupStore, startLookupStore } from '@tieline/lookups/store'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import type { ServiceSettings } from './read-settings.ts'

/**
 * The lookups of an installation, as every service opens them.
 * @throws when Redis does not answer or a file of first values is wrong
 */
export const openLookups = (
  { installation }: Pick<ServiceSettings, 'installation'>,
  redis: RedisConnection,
  logger: Logger,
): Promise<LookupStore> =>
  startLookupStore({
    redis,
    installation: installation.installation.name,
    directory: installation.lookups.directory,
    connections: new Set(Object.keys(installation.connections)),
    logger,
  })
