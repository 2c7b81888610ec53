import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import type { WebApp } from '@tieline/runtime/http-listener'
import { createLineLimit } from '@tieline/runtime/line-limit'
import type { Logger } from '@tieline/runtime/logger'
import type { Span, Tracer } from '@tieline/runtime/telemetry'
import { Hono } from 'hono'
import { createBodyHead } from './body-head.ts'
import type { IngressMetrics } from './metrics.ts'
import { type HttpAnswer, Refusal, refusalAnswer, toRefusal } from './problems.ts'
import type { Exchange } from './receive.ts'
import type { RefusalKeeper } from './refusal-keeper.ts'
import { findFlow } from './routes.ts'
import type { Store } from './store.ts'

interface Deps {
  readonly receive: (exchange: Exchange) => Promise<HttpAnswer>
  readonly store: Pick<Store, 'ready' | 'stopping'>
  readonly metrics: Pick<IngressMetrics, 'answered'>
  readonly refusals: Pick<RefusalKeeper, 'look' | 'keep'>
  readonly tracer: Tracer
  readonly logger: Logger
}

/** The ingress over HTTP: every path, every error, and one log line for each request, with nothing of its body. */
export function createApp({ receive, store, metrics, refusals, tracer, logger }: Deps): WebApp {
  const mayLogStranger = createLineLimit({
    ...strangers,
    tell: (heldBack) => logger.warn({ heldBack }, `Refused ${heldBack} more requests of callers who are not known`),
  })
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get('/health/live', (c) => (store.stopping() ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'live' })))
  app.get('/health/ready', async (c) => {
    const { ready, reason, warnings = [] } = await store.ready()
    return ready ? c.json({ status: 'ready', warnings }) : c.json({ status: 'not ready', reason, warnings }, 503)
  })
  app.all('*', async ({ req, env: { incoming } }) => {
    const startedMs = performance.now()
    const requestId = requestIdOf(incoming)
    const flow = findFlow(req.path)
    const exchange: Exchange | undefined = flow && { flow, incoming, request: req.raw, head: createBodyHead() }
    const span = startSpan(tracer, flow, incoming)
    const { answer, refusal } = await tracer
      .within(span, () => answerOf(exchange, incoming))
      .then((answer) => ({ answer, refusal: undefined }))
      .catch(async (error: unknown) => {
        const refusal = toRefusal(error)
        if (exchange !== undefined) await keepRefused(exchange, refusal)
        return { answer: refusalAnswer(refusal, flow, requestId), refusal }
      })

    const { client, key, ending } = exchange ?? {}
    const { status } = answer
    const ms = Math.round(performance.now() - startedMs)
    metrics.answered({ flow, client, status, seconds: ms / 1_000, code: refusal?.code })
    span.set({ 'tieline.client': client, 'tieline.message.key': key, 'http.response.status_code': status })
    if (status >= 500) span.fail(refusal?.code ?? 'fault')
    span.end()
    const line = { requestId, flow, client, key, ending, status, code: refusal?.code, paths: pathsOf(refusal), ms }
    const text = `${incoming.method} ${flow ?? req.path.slice(0, pathLengthMax)} ${status}`
    if (refusal !== undefined && status >= 500) logger.warn({ ...line, err: refusal.cause }, text)
    else if (client !== undefined || mayLogStranger()) logger.info(line, text)
    return toResponse(answer, requestId)
  })
  return app

  async function answerOf(exchange: Exchange | undefined, { method }: IncomingMessage): Promise<HttpAnswer> {
    if (exchange === undefined) throw new Refusal(404, 'unknown-path', 'No flow is served under this path')
    if (method !== 'POST')
      throw new Refusal(405, 'unknown-path', 'Only POST is served here', { headers: { allow: 'POST' } })
    return receive(exchange)
  }

  async function keepRefused(exchange: Exchange, refusal: Refusal): Promise<void> {
    const { client = refusal.client } = exchange
    if (client !== undefined) exchange.client = client
    await refusals.look(exchange, refusal)
    refusals.keep(exchange, refusal)
    exchange.head = undefined
  }
}

/** The fields at fault; they are words of the contract. */
const pathsOf = (refusal: Refusal | undefined) => refusal?.errors?.slice(0, loggedPathsMax).map(({ path }) => path)

const loggedPathsMax = 10

/** The caller's trace goes on, if it has one. */
function startSpan(tracer: Tracer, flow: string | undefined, { method, headers }: IncomingMessage): Span {
  const { traceparent } = headers
  return tracer.start(`receive ${flow ?? 'nothing'}`, {
    kind: 'server',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    attributes: { 'tieline.flow': flow, 'http.request.method': method },
  })
}

/** Lines about requests without known credentials; all of them are counted in the metrics. */
const strangers = { linesMax: 100, periodMs: 60_000 }

/** Longer paths are nobody's mistake in a configuration, and only that is worth logging. */
const pathLengthMax = 200

/** The caller's own id when it is fit for logs and headers, so that its log and ours can be laid side by side. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID()
}

function toResponse(
  { status, body, mediaType = 'application/json', headers }: HttpAnswer,
  requestId: string,
): Response {
  const always = { ...headers, 'x-request-id': requestId }
  if (body === undefined) return new Response(null, { status, headers: { ...always, 'content-length': '0' } })
  return new Response(JSON.stringify(body), { status, headers: { ...always, 'content-type': mediaType } })
}
