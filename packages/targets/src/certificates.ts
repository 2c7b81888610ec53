import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request as requestHttps } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { Installation } from '@tieline/runtime/installation'
import { type Agents, createAgents, type TlsFiles } from './agents.ts'
import { onceConnected, reasonOf } from './exchange.ts'
import { createTimeLimit } from './time-limit.ts'

/**
 * Whose certificate it is: `listener` of ours, which callers see; `client` of ours, which a target sees; or the `target`'s, as
 * its TLS handshake shows it.
 */
export type CertificateKind = 'listener' | 'client' | 'target'

export interface CertificatePlace {
  readonly kind: CertificateKind
  /** `ingress`, `console`, `bills` or `mail`, or the name of the connection. */
  readonly name: string
  /** The file, or host and port. */
  readonly where: string
}

/** What is known of a certificate: when it ends, or why nobody can tell. */
export type CertificateLook = CertificatePlace &
  /** Milliseconds since 1970. */
  (
    | { readonly startsAt: number; readonly expiresAt: number; readonly fingerprint: string }
    /** Error code. */
    | { readonly unknown: string }
  )

export interface CertificateSource extends CertificatePlace {
  look(): Promise<CertificateLook>
}

/** Handshakes are short; nobody waits for a target that hangs. */
const handshakeMs = 15_000

export type CertificateOwners = Pick<Installation, 'ingress' | 'console' | 'bills' | 'connections' | 'mail'>

/** Every certificate that an installation depends on and that can be looked at: files of ours, and what targets with TLS show. */
export function certificateSources({
  ingress,
  console,
  bills,
  connections,
  mail,
}: CertificateOwners): CertificateSource[] {
  const listeners = Object.entries({ ingress, console, bills }).flatMap(([name, section]) =>
    section?.tls === undefined ? [] : [fromFile({ kind: 'listener', name, where: section.tls.certFile })],
  )
  const others = Object.entries(connections).flatMap(([name, connection]) => {
    const tls: TlsFiles = 'tls' in connection ? (connection.tls ?? {}) : {}
    const proxy = 'proxy' in connection ? connection.proxy : ''
    return [
      ...(tls.certFile === undefined ? [] : [fromFile({ kind: 'client', name, where: tls.certFile })]),
      ...addressesOf(connection).map((where) => fromHandshake({ kind: 'target', name, where }, { tls, proxy })),
    ]
  })
  const url = mail && new URL(mail.url)
  // One that offers TLS only later in the conversation would have to be talked to.
  const mailServer =
    url?.protocol === 'smtps:'
      ? [fromHandshake({ kind: 'target', name: 'mail', where: `${url.hostname}:${url.port || 465}` }, direct)]
      : []
  return [...listeners, ...others, ...mailServer]
}

const direct = { tls: {}, proxy: '' } as const

/** Host and port of everything that a connection calls with TLS. */
function addressesOf(connection: Installation['connections'][string]): string[] {
  const urls =
    connection.kind === 'dacs' || connection.kind === 'derms'
      ? [
          connection.baseUrl,
          ...(connection.auth !== 'none' && 'oauth2' in connection.auth ? [connection.auth.oauth2.tokenUrl] : []),
          ...Object.values(connection.paths),
        ]
      : 'endpoint' in connection
        ? [connection.endpoint]
        : []
  const secure = urls.filter((url) => /^https:\/\//i.test(url)).map((url) => new URL(url))
  return [...new Set(secure.map(({ hostname, port }) => `${hostname}:${port || 443}`))]
}

const fromFile = (place: CertificatePlace): CertificateSource => ({
  ...place,
  async look() {
    try {
      return soonest(place, certificatesIn(await readFile(place.where, 'utf8')))
    } catch (error) {
      return { ...place, unknown: codeOf(error) }
    }
  },
})

const fromHandshake = (
  place: CertificatePlace,
  options: { readonly tls: TlsFiles; readonly proxy: string },
): CertificateSource => ({
  ...place,
  async look() {
    try {
      using agents = await createAgents(options)
      return soonest(place, [await shakeHands(place.where, agents)])
    } catch (error) {
      return { ...place, unknown: codeOf(error) }
    }
  },
})

/** A chain is as good as the first of its certificates that ends. */
function soonest(place: CertificatePlace, chain: readonly X509Certificate[]): CertificateLook {
  const [first] = chain.toSorted((a, b) => endOf(a) - endOf(b))
  return first === undefined
    ? { ...place, unknown: 'not PEM' }
    : { ...place, startsAt: Date.parse(first.validFrom), expiresAt: endOf(first), fingerprint: first.fingerprint256 }
}

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one))

/** Connects, verifies and hangs up: the request is never sent, and nobody logs in. */
async function shakeHands(address: string, agents: Agents): Promise<X509Certificate> {
  using limit = createTimeLimit(handshakeMs)
  const request = requestHttps(`https://${address}/`, { agent: agents.https, signal: limit.signal })
  try {
    return await new Promise<X509Certificate>((resolve, reject) => {
      request.once('error', reject)
      onceConnected(request, () => {
        const { socket } = request
        const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
        if (shown === undefined) reject(new Error('No certificate was shown'))
        else resolve(shown)
      })
    })
  } finally {
    request.on('error', () => undefined)
    request.destroy()
  }
}

const codeOf = (error: unknown): string => {
  if (error instanceof Error && error.name === 'AbortError') return 'timeout'
  return reasonOf(error) ?? 'unreadable'
}
