import { ConfigurationError } from '@tieline/runtime/configuration-error'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { openAgentDoor } from './agent-door.ts'
import { createAgentSessions } from './agent-sessions.ts'
import { createGatewayMetrics } from './metrics.ts'
import { openWorkerDoor } from './worker-door.ts'

export interface Gateway extends AsyncDisposable {
  readonly agentPort: number
  readonly workersPort: number
  readonly operationsUrl: string
}

/** Starts the gateway: agents dial in at one port, workers reach their hosts through the other. It needs no Redis. */
export async function startGateway(
  { environment, installation }: ServiceSettings,
  tuning: { readonly logger?: Logger } = {},
): Promise<Gateway> {
  const { agents, gateway } = installation
  if (gateway === undefined) {
    throw new ConfigurationError('The gateway cannot start', [{ path: 'gateway', rule: 'is required' }])
  }
  const logger = tuning.logger ?? createLogger({ service: 'gateway', level: environment.logLevel })
  await using parts = new AsyncDisposableStack()
  const sessions = parts.use(
    createAgentSessions((agent, count) => logger.info({ agent, count }, `Agent ${agent}: ${count} connected`)),
  )
  const states = () => agents.map(({ name }) => ({ name, sessions: sessions.count(name) }))
  const register = createRegister()
  const metrics = createGatewayMetrics(register, states)
  const operations = parts.use(
    await startOperationsListener({
      port: environment.metricsPort,
      host: environment.metricsHost,
      register,
      logger,
      ready: async () => {
        const away = states().filter(({ sessions }) => sessions === 0)
        return { ready: true, warnings: away.map(({ name }) => `no agent ${name} is connected`) }
      },
    }),
  )
  const workers = parts.use(
    await openWorkerDoor({
      port: environment.gatewayWorkersPort,
      host: environment.gatewayWorkersHost,
      agents,
      key: gateway.key,
      sessions,
      logger,
      onAnswer: (agent, status) => metrics.connections.inc({ agent, status }),
    }),
  )
  const door = parts.use(await openAgentDoor({ port: environment.gatewayPort, agents, gateway, sessions, logger }))
  logger.info({ agentPort: door.port, workersPort: workers.port }, `Waiting for agents on port ${door.port}`)
  const running = parts.move()
  return {
    agentPort: door.port,
    workersPort: workers.port,
    operationsUrl: operations.url,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
