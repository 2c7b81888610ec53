import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { ConfigurationError } from './configuration-error.ts'
import type { Logger } from './logger.ts'
import { readTlsFiles, reloadTlsFiles, type TlsFiles } from './tls-files.ts'

export interface ListenOptions {
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  /** The variable that the port comes from, for the error when it cannot be used. */
  readonly portVariable?: string
  readonly tls?: TlsFiles
  /** How long an idle connection is kept; default 75 s, longer than load balancers keep theirs. */
  readonly keepAliveTimeoutMs?: number
  /** How long a caller may take to send its headers, and before that for TLS; default 20 s; 0: no limit. */
  readonly headersTimeoutMs?: number
  /** How long a caller may take to send a whole request; default 0: no limit, as files come at the sender's pace. */
  readonly requestTimeoutMs?: number
  /** How long disposal waits for requests in flight before it cuts them off; default 10 s. */
  readonly drainWithinMs?: number
  /** How often the TLS files are looked at; default 10 s. */
  readonly tlsReloadMs?: number
  /** Told when certificates change. */
  readonly logger?: Logger
}

export interface Listener extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** What a Hono application is to a listener. */
export interface WebApp {
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>
}

/**
 * Serves an application over HTTP, or HTTPS when `tls` is given. Resolves when it listens. Disposal stops taking connections, lets requests in flight end, then cuts off
 * the rest.
 * @throws ConfigurationError when the port is taken, the address is not to be had, or the TLS files cannot be used
 */
export async function listen(app: WebApp, options: ListenOptions): Promise<Listener> {
  const { port, host, tls, drainWithinMs = 10_000, tlsReloadMs = 10_000, logger } = options
  const handle = getRequestListener((request, bindings) => app.fetch(request, bindings as HttpBindings))
  const handler: typeof handle = (incoming, outgoing) => {
    endUnreadBody(incoming, outgoing)
    return handle(incoming, outgoing)
  }
  await using started = new AsyncDisposableStack()
  let server: Server
  if (tls === undefined) {
    server = createHttpServer(timeouts(options), handler)
  } else {
    const content = await readTlsFiles(tls)
    const clients = { requestCert: tls.clientCaFile !== undefined, rejectUnauthorized: tls.clientCaFile !== undefined }
    // Node's own default is two minutes for each connection that never speaks.
    const handshakeTimeout = options.headersTimeoutMs || 20_000
    const secure = createHttpsServer({ ...content, ...clients, ...timeouts(options), handshakeTimeout }, handler)
    started.use(reloadTlsFiles(secure, tls, { current: content, everyMs: tlsReloadMs, logger }))
    server = secure
  }
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw cannotListen(error, options)
  })
  started.defer(() => drain(server, drainWithinMs))

  const address = server.address()
  const boundPort = typeof address === 'object' && address !== null ? address.port : port
  const running = started.move()
  return {
    port: boundPort,
    url: `${tls === undefined ? 'http' : 'https'}://${reachable(host)}:${boundPort}`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function cannotListen(error: unknown, { port, host, portVariable }: ListenOptions): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error
  const named = portVariable === undefined ? `Port ${port}` : `Port ${port} (${portVariable})`
  const why = reasonsNotToListen[error.code] ?? `cannot be used: ${error.code}`
  return new ConfigurationError(`${named} on ${host} ${why}.`, [])
}

const reasonsNotToListen: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'cannot be used: the address is not one of this machine',
}

/** How long the rest of a body that nobody reads may take to come once its request was answered. */
const unreadBodyMsMax = 1_000

/** Nothing else ends a connection whose GET was answered and whose body never comes to its end; other methods Hono looks after. */
function endUnreadBody(incoming: IncomingMessage | Http2ServerRequest, outgoing: ServerResponse | Http2ServerResponse) {
  if (!['GET', 'HEAD'].includes(incoming.method ?? '')) return
  outgoing.once('finish', () => {
    if (incoming.complete) return
    setTimeout(() => incoming.complete || incoming.destroy(), unreadBodyMsMax).unref()
  })
}

function timeouts({ keepAliveTimeoutMs = 75_000, headersTimeoutMs = 20_000, requestTimeoutMs = 0 }: ListenOptions) {
  return {
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // How often Node looks for connections past the two limits above.
    connectionsCheckingInterval: Math.min(headersTimeoutMs || 5_000, 5_000),
  }
}

async function drain(server: Server, withinMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Closing ends the connections that are idle now, not those that a request in flight leaves idle a moment later.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const late = setTimeout(() => server.closeAllConnections(), withinMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}

/** A host that a browser can open, and that an IPv6 address stands in brackets in. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
