import type { StartContainer } from '@tieline/runtime/embedded-redis'

/** Redis in a container, for machines with Docker and without a Redis of their own. */
export const startRedisContainer: StartContainer = async (args) => {
  const { GenericContainer } = await import('testcontainers')
  const container = await new GenericContainer('redis:7')
    .withCommand(['redis-server', ...args])
    .withExposedPorts(6379)
    .start()
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    [Symbol.asyncDispose]: async () => {
      await container.stop()
    },
  }
}
