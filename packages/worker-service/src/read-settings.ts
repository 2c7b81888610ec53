import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { defaultConfigFile, type Environment, readEnvironment } from '@tieline/runtime/environment'
import { type Installation, loadInstallation } from '@tieline/runtime/installation'

/** All that a service is told from outside: the environment and the installation file. */
export interface ServiceSettings {
  readonly environment: Environment
  readonly installation: Installation
}

/**
 * Reads both, whatever is wrong with one of them, so that one start tells everything.
 * @throws ConfigurationError naming every fault of the environment and of the file
 */
export async function readSettings(env: NodeJS.ProcessEnv): Promise<ServiceSettings> {
  const reading = loadInstallation(env.TIELINE_CONFIG || defaultConfigFile, env)
  let environment: Environment
  try {
    environment = readEnvironment(env)
  } catch (error) {
    const other = await reading.then(
      () => undefined,
      (fault: unknown) => fault,
    )
    throw error instanceof ConfigurationError && other instanceof ConfigurationError ? error.and(other) : error
  }
  return { environment, installation: await reading }
}

/** @throws ConfigurationError saying what to set */
export function requireRedisUrl({ environment }: ServiceSettings): string {
  if (environment.redisUrl !== undefined) return environment.redisUrl
  const rule = 'is required when a service starts alone; `pnpm start` runs all of them with a Redis of its own'
  throw new ConfigurationError('The environment has faults', [{ path: 'REDIS_URL', rule }])
}
