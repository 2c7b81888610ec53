import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createSecureContext, getCACertificates, type SecureContextOptions } from 'node:tls'
import { HttpProxyAgent, HttpsProxyAgent } from 'hpagent'

export interface TlsFiles {
  /** Certificates of private authorities, PEM. */
  readonly caFile?: string | undefined
  /** Our own certificate with its chain and its key, PEM, for targets that ask for one. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
}

export interface Agents extends Disposable {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

export interface AgentOptions {
  readonly tls?: TlsFiles | undefined
  /** URL of an HTTP proxy; empty or absent: none. */
  readonly proxy?: string | undefined
}

/** Idle connections are closed after this, before firewalls forget them silently. It limits the greeting of a proxy as well. */
const idleMs = 15_000

/**
 * The sockets of one connection, kept alive between calls. Certificates are always verified. A private authority is
 * trusted beside the public ones, because the token endpoint of the same connection may be a public one.
 * @throws when a file of `tls` cannot be read or used
 */
export async function createAgents({ tls, proxy }: AgentOptions): Promise<Agents> {
  const trust = await readTls(tls)
  const plain = { keepAlive: true, timeout: idleMs }
  // The context is built once: parsing all authorities anew for each socket costs milliseconds.
  const secure = { ...plain, rejectUnauthorized: true, secureContext: createSecureContext(trust) }
  const agents = proxy
    ? {
        http: new HttpProxyAgent({ ...plain, proxy, proxyRequestOptions: { ca: trust.ca } }),
        https: new HttpsProxyAgent({ ...secure, proxy, proxyRequestOptions: { ca: trust.ca } }),
      }
    : { http: new HttpAgent(plain), https: new HttpsAgent(secure) }
  return {
    ...agents,
    [Symbol.dispose]() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

async function readTls(files: TlsFiles = {}): Promise<SecureContextOptions & { ca: string[] }> {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file, 'utf8'))
  const [ca, cert, key] = await Promise.all([read(files.caFile), read(files.certFile), read(files.keyFile)])
  // A secure context passes over authorities that it cannot read, without a word.
  if (ca !== undefined) new X509Certificate(ca)
  return {
    ca: [...getCACertificates('default'), ...(ca === undefined ? [] : [ca])],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}
