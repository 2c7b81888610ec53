import { once } from 'node:events'
import type { ServerHttp2Session } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { cutSession } from '@tieline/runtime/agent-link'
import type { Environment } from '@tieline/runtime/environment'
import { createLogger, type Logger } from '@tieline/runtime/logger'
import { startOperationsListener } from '@tieline/runtime/operations-listener'
import { createRegister } from '@tieline/runtime/process-metrics'
import type { AgentSettings } from './agent-settings.ts'
import { dial } from './dial.ts'
import { serve } from './serve.ts'

interface AgentTuning {
  readonly logger?: Logger
  /** First pause before it dials again; it doubles up to 30 s. Default 1 s. */
  readonly pauseMs?: number
  /** How long what is carried may go on when the agent stops; default 20 s. */
  readonly drainMs?: number
}

const pauseMsMax = 30_000

/** Starts the agent: it stays connected to the gateway and dials again, without end, whenever it is not. */
export async function startAgent(
  settings: AgentSettings,
  environment: Pick<Environment, 'metricsPort' | 'metricsHost' | 'logLevel'>,
  tuning: AgentTuning = {},
): Promise<AsyncDisposable> {
  const logger = tuning.logger ?? createLogger({ service: 'agent', level: environment.logLevel })
  const stopping = new AbortController()
  let session: ServerHttp2Session | undefined
  const operations = await startOperationsListener({
    port: environment.metricsPort,
    host: environment.metricsHost,
    register: createRegister(),
    ready: async () => ({ ready: session !== undefined, reason: 'not connected to the gateway' }),
    logger,
  })
  const running = stayConnected()

  async function stayConnected(): Promise<void> {
    let pauseMs = tuning.pauseMs ?? 1_000
    while (!stopping.signal.aborted) {
      try {
        session = serve(await dial(settings), { allow: settings.allow, logger })
        if (stopping.signal.aborted) session.close()
        logger.info(`Agent ${settings.name} is connected to ${settings.url.host}`)
        pauseMs = tuning.pauseMs ?? 1_000
        if (!session.destroyed) await once(session, 'close')
        if (!stopping.signal.aborted) logger.warn('The connection to the gateway ended')
      } catch (error) {
        logger.warn(`The gateway cannot be reached: ${error instanceof Error ? error.message : 'unknown'}`)
      }
      session = undefined
      // Not all agents at once after an outage.
      await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, pauseMsMax)
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      session?.close()
      const late = setTimeout(() => session && cutSession(session), tuning.drainMs ?? 20_000)
      await running
      clearTimeout(late)
      await operations[Symbol.asyncDispose]()
    },
  }
}
