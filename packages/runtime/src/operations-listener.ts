import { Hono } from 'hono'
import type { Registry } from 'prom-client'
import { mountApiDocs } from './api-docs.ts'
import { type Listener, listen } from './http-listener.ts'
import type { Logger } from './logger.ts'

export interface Readiness {
  readonly ready: boolean
  /** Why not, in one sentence without data of messages. */
  readonly reason?: string
  /** What works, but should be looked at: weak settings of Redis, missing encryption. */
  readonly warnings?: readonly string[]
}

export interface OperationsOptions {
  /** 0: any free port; it is logged. */
  readonly port: number
  /** Default 127.0.0.1: nobody has to log in here, so it is opened to others deliberately. */
  readonly host?: string
  readonly register: Pick<Registry, 'metrics' | 'contentType'>
  /** Whether this process can do its work now. */
  readonly ready: () => Promise<boolean | Readiness>
  /** How long `ready` may take before the answer is no; default 2 s. */
  readonly readyWithinMs?: number
  /** An OpenAPI document; with it `/openapi.json` and `/docs` are served. */
  readonly openapi?: unknown
  readonly logger: Logger
}

/** Serves `/metrics`, `/health/live`, `/health/ready` and, when there is a document, the API documents of a process. */
export async function startOperationsListener(options: OperationsOptions): Promise<Listener> {
  const { port, host = '127.0.0.1', register, openapi, logger } = options
  const app = new Hono()
  app.get('/metrics', async (c) => c.body(await register.metrics(), 200, { 'content-type': register.contentType }))
  app.get('/health/live', (c) => c.json({ status: 'live' }))
  app.get('/health/ready', async (c) => {
    const { ready, reason, warnings = [] } = await readiness(options)
    if (ready) return c.json({ status: 'ready', warnings })
    return c.json({ status: 'not ready', reason: reason ?? 'not ready yet', warnings }, 503)
  })
  if (openapi !== undefined) mountApiDocs(app, openapi)
  app.onError((error, c) => {
    logger.error({ err: error }, `Unhandled error in ${c.req.method} ${c.req.path}`)
    return c.json({ status: 'error' }, 500)
  })
  const listener = await listen(app, { port, host, portVariable: 'METRICS_PORT', drainWithinMs: 1_000 })
  logger.info({ url: listener.url }, `Metrics and health on ${listener.url}`)
  return listener
}

/** The process' own answer; no answer in time and an error count as no. */
async function readiness({ ready, readyWithinMs = 2_000, logger }: OperationsOptions): Promise<Readiness> {
  const { promise: late, resolve } = Promise.withResolvers<Readiness>()
  const timer = setTimeout(resolve, readyWithinMs, { ready: false, reason: `no answer within ${readyWithinMs} ms` })
  try {
    const answer = await Promise.race([ready(), late])
    return typeof answer === 'boolean' ? { ready: answer } : answer
  } catch (error) {
    logger.warn({ err: error }, 'The readiness check failed')
    return { ready: false, reason: 'the check failed; the log says why' }
  } finally {
    clearTimeout(timer)
  }
}
