import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** A request as it was sent. */
export interface S3Request {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const skewMsMax = 15 * 60_000

/**
 * Judges a request by AWS Signature Version 4, as Amazon describes it for S3; written from that description, so that it knows
 * nothing of whoever signs. Gives the code of S3's error; undefined when the signature is right.
 */
export function faultOfS3Signature(
  request: S3Request,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
  { region, nowMs }: { readonly region: string; readonly nowMs: number },
): string | undefined {
  const header = (name: string) => [request.headers[name] ?? ''].flat().join(',').trim().replace(/ +/g, ' ')
  const [, credential = '', signedHeaders = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=(\S+), *SignedHeaders=(\S+), *Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    ) ?? []
  const [key, day = '', at, service] = credential.split('/')
  if (signature === '') return 'AccessDenied'
  if (key !== accessKeyId) return 'InvalidAccessKeyId'
  if (at !== region || service !== 's3' || !credential.endsWith('/aws4_request')) return 'AuthorizationHeaderMalformed'
  if (header('x-amz-security-token') !== (sessionToken ?? '')) return 'InvalidToken'

  const date = header('x-amz-date')
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? []
  const signedMs = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
  if (!date.startsWith(day) || !(Math.abs(signedMs - nowMs) <= skewMsMax)) return 'RequestTimeTooSkewed'

  const names = signedHeaders.split(';')
  const mustBeSigned = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  if (!mustBeSigned.every((name) => names.includes(name))) return 'SignatureDoesNotMatch'
  const canonical = [
    request.method,
    canonicalPath(request.target),
    canonicalQuery(request.target),
    ...names.map((name) => `${name}:${header(name)}`),
    '',
    signedHeaders,
    header('x-amz-content-sha256'),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', date, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  const signingKey = [day, region, 's3', 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  return timingSafeEqual(hmac(signingKey, text), Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Everything but letters, digits and `-_.~` is encoded, byte by byte, once. */
const encode = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) =>
      /[\w.~-]/.test(String.fromCharCode(byte)) && byte < 128
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

const canonicalPath = (target: string): string =>
  (target.split('?')[0] ?? '')
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/')

/** As it was sent: some storages do not encode it anew. */
function canonicalQuery(target: string): string {
  const at = target.indexOf('?')
  if (at === -1) return ''
  return target
    .slice(at + 1)
    .split('&')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&')
}
