import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createSecureContext, getCACertificates, type SecureContextOptions } from 'node:tls'
import type { Logger } from '@tieline/runtime/logger'
import { reloadFiles } from '@tieline/runtime/reload-files'
import { HttpProxyAgent, HttpsProxyAgent } from 'hpagent'

export interface TlsFiles {
  /** Certificates of private authorities, PEM. */
  readonly caFile?: string | undefined
  /** Our own certificate with its chain and its key, PEM, for targets that ask for one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
}

/** The agents of the files as they are now: to be asked for at each call. */
export interface Agents extends Disposable {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

export interface AgentOptions {
  readonly tls?: TlsFiles | undefined
  /** URL of an HTTP proxy; empty or absent: none. */
  readonly proxy?: string | undefined
  /** How often the files of `tls` are looked at; default 10 s. */
  readonly tlsReloadMs?: number | undefined
  /** Told when they change, and when they cannot be used. */
  readonly logger?: Pick<Logger, 'info' | 'warn'> | undefined
}

/** Idle connections are closed after this, before firewalls forget them silently. It limits the greeting of a proxy as well. */
const idleMs = 15_000

/**
 * The sockets of one connection, kept alive between calls. Certificates are always verified. A private authority is
 * trusted beside the public ones, because the token endpoint of the same connection may be a public one. When the files of
 * `tls` change, new calls get sockets with the new ones; calls in flight end on those they have.
 * @throws when a file of `tls` cannot be read or used
 */
export async function createAgents({ tls = {}, proxy, tlsReloadMs = 10_000, logger }: AgentOptions): Promise<Agents> {
  const pems = await readPems(tls)
  let current = open(pems, proxy)
  const retired = new Set<Pair>()
  using started = new DisposableStack()
  if (Object.values(tls).some((file) => file !== undefined)) {
    started.use(
      reloadFiles({
        read: () => readPems(tls),
        current: pems,
        use(content) {
          const next = open(content, proxy)
          // Not changed in place: an agent keeps TLS sessions, which carry the former certificate on.
          for (const agent of [current.http, current.https]) retire(agent)
          retired.add(current)
          current = next
        },
        everyMs: tlsReloadMs,
        logger,
        about: { ...tls },
      }),
    )
  }
  const owned = started.move()
  return {
    get http() {
      return current.http
    },
    get https() {
      return current.https
    },
    [Symbol.dispose]() {
      owned.dispose()
      for (const pair of [current, ...retired]) for (const agent of [pair.http, pair.https]) agent.destroy()
    },
  }
}

interface Pair {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

function open(pems: Pems, proxy: string | undefined): Pair {
  const trust = contextOf(pems)
  const plain = { keepAlive: true, timeout: idleMs }
  // The context is built once: parsing all authorities anew for each socket costs milliseconds.
  const secure = { ...plain, rejectUnauthorized: true, secureContext: createSecureContext(trust) }
  if (!proxy) return { http: new HttpAgent(plain), https: new HttpsAgent(secure) }
  return {
    http: new HttpProxyAgent({ ...plain, proxy, proxyRequestOptions: { ca: trust.ca } }),
    https: new HttpsProxyAgent({ ...secure, proxy, proxyRequestOptions: { ca: trust.ca } }),
  }
}

/** Closes what is idle now, and each other socket when its call has ended. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

interface Pems {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** @throws Error naming the files when one cannot be read, or they do not fit together */
async function readPems(files: TlsFiles): Promise<Pems> {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file, 'utf8'))
  try {
    const [ca, cert, key] = await Promise.all([read(files.caFile), read(files.certFile), read(files.keyFile)])
    // A secure context passes over authorities that it cannot read, without a word.
    if (ca !== undefined) new X509Certificate(ca)
    createSecureContext({ ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) })
    return { ca, cert, key }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not PEM'
    const names = Object.values(files).filter((file) => file !== undefined)
    const message = `The TLS files ${names.join(', ')} cannot be used: ${code}`
    throw Object.assign(new Error(message, { cause: error }), { code })
  }
}

const contextOf = ({ ca, cert, key }: Pems): SecureContextOptions & { ca: string[] } => ({
  ca: [...getCACertificates('default'), ...(ca === undefined ? [] : [ca])],
  ...(cert === undefined ? {} : { cert }),
  ...(key === undefined ? {} : { key }),
})
