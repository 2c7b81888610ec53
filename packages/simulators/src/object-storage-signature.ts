import { createHash, type KeyObject, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface SignedRequest {
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

/** The key of a user, by its id: `tenancy/user/fingerprint`. */
export type FindKey = (keyId: string) => KeyObject | undefined

/** How far the clock of a caller may be off. */
const skewMsMax = 5 * 60_000

/**
 * Why a request is not authentic by version 1 of the request signature of OCI; undefined when it is. The signature covers
 * the headers only: when it covers `x-content-sha256`, the body has to be compared with that.
 */
export function faultOfSignature(request: SignedRequest, findKey: FindKey, nowMs: number): string | undefined {
  const { method, headers } = request
  const signature = parseAuthorization(headers.authorization ?? '')
  if (signature === undefined) return 'The request is not signed'
  if (signature.version !== '1' || signature.algorithm !== 'rsa-sha256') return 'The kind of signature is not known'

  const signed = (signature.headers ?? 'date').toLowerCase().split(' ')
  const missing = demandedHeaders(request).find((name) => !signed.includes(name))
  if (missing !== undefined) return `The signature does not cover ${missing}`
  const date = ['x-date', 'date'].find((name) => signed.includes(name))
  if (date === undefined) return 'The signature covers no date'
  if (!(Math.abs(Date.parse(String(headers[date])) - nowMs) <= skewMsMax)) return 'The date is too far off'

  const key = findKey(signature.keyId ?? '')
  if (key === undefined) return 'The key is not known'
  const lines = signed.map((name) =>
    name === '(request-target)' ? `${name}: ${method.toLowerCase()} ${request.target}` : `${name}: ${headers[name]}`,
  )
  const authentic = verify(
    'RSA-SHA256',
    Buffer.from(lines.join('\n')),
    key,
    Buffer.from(signature.signature ?? '', 'base64'),
  )
  return authentic ? undefined : 'The signature is wrong'
}

/** Whether a body is the one that was signed; for requests whose signature must cover the body. */
export const isSignedBody = ({ headers }: SignedRequest, body: Buffer): boolean =>
  headers['x-content-sha256'] === createHash('sha256').update(body).digest('base64')

/** Uploads of content are signed without it, so that it can be streamed. */
function demandedHeaders({ method }: SignedRequest): readonly string[] {
  const always = ['(request-target)', 'host']
  return method === 'POST' ? [...always, 'content-type', 'content-length', 'x-content-sha256'] : always
}

/** `Signature version="1",keyId="…",algorithm="rsa-sha256",headers="…",signature="…"` */
function parseAuthorization(header: string): Readonly<Record<string, string | undefined>> | undefined {
  const [, parameters] = /^Signature\s+(.*)$/i.exec(header) ?? []
  if (parameters === undefined) return undefined
  return Object.fromEntries([...parameters.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}
