import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { type Environment, readEnvironment } from '@tieline/runtime/environment'
import { type Installation, loadInstallation } from '@tieline/runtime/installation'

/** All that a service is told from outside: the environment and the installation file. */
export interface ServiceSettings {
  readonly environment: Environment
  readonly installation: Installation
}

/** @throws ConfigurationError naming every fault of the environment or of the file */
export async function readSettings(env: NodeJS.ProcessEnv): Promise<ServiceSettings> {
  const environment = readEnvironment(env)
  return { environment, installation: await loadInstallation(environment.configFile, env) }
}

/** @throws ConfigurationError saying what to set */
export function requireRedisUrl({ environment }: ServiceSettings): string {
  if (environment.redisUrl !== undefined) return environment.redisUrl
  const rule = 'is required when a service starts alone; `pnpm start` runs all of them with a Redis of its own'
  throw new ConfigurationError('The environment has faults', [{ path: 'REDIS_URL', rule }])
}
