import type { IncomingMessage } from 'node:http'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Logger } from '@tieline/runtime/logger'
import { AwsV4Signer } from 'aws4fetch'
import { createAgents, type TlsFiles } from './agents.ts'
import { classify } from './classify.ts'
import { failed, SourceFailure } from './source-failure.ts'
import { readAnswer, sendRequest } from './storage-request.ts'
import { createTimeLimit } from './time-limit.ts'

/** A connection of kind `s3` of the installation file, and a bucket there. */
export interface S3ClientOptions {
  /** Name of the connection. */
  readonly connection: string
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined
  /** Where the bucket stands in an address: in its path, or before its host. */
  readonly addressing: 'path' | 'host'
  readonly tls?: TlsFiles | undefined
  /** URL of an HTTP proxy; empty: none. */
  readonly proxy: string
  readonly bucket: string
  /** Longest time for a request with its answer; for content, until it begins and for each piece of it. */
  readonly timeoutMs?: number
  /** Told when files of `tls` change, and when they cannot be used. */
  readonly logger?: Pick<Logger, 'info' | 'warn'> | undefined
}

interface S3Request {
  readonly method: 'GET' | 'HEAD'
  /** Empty: the bucket itself. */
  readonly key: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The answer is content: it is handed out before it has come. */
  readonly content?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface S3Client extends AsyncDisposable {
  readonly connection: string
  readonly timeoutMs: number
  /** Makes one request, without a retry; resolves only with success. @throws S3Failure, SourceFailure */
  send(request: S3Request): Promise<IncomingMessage>
}

/** The storage answered with a status other than success. */
export class S3Failure extends SourceFailure {
  /** Such as `NoSuchBucket`; the answer to a HEAD has none. */
  readonly serviceCode: string | undefined

  constructor(verdict: SourceFailure['verdict'], status: number, serviceCode: string | undefined) {
    super(serviceCode === undefined ? verdict : { ...verdict, message: `${verdict.message} (${serviceCode})` }, status)
    this.name = 'S3Failure'
    this.serviceCode = serviceCode
  }
}

/**
 * Requests of an object storage that speaks S3, signed with AWS Signature Version 4. Nothing is called yet.
 * @throws ConfigurationError when a file of `tls` cannot be read or used
 */
export async function createS3Client(options: S3ClientOptions): Promise<S3Client> {
  const {
    connection,
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    tls,
    proxy,
    timeoutMs = 60_000,
    logger,
  } = options
  const agents = await createAgents({ tls, proxy, logger }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not PEM'
    const rule = `names a file that cannot be used (${code})`
    throw new ConfigurationError('The connections cannot be used', [{ path: `connections.${connection}.tls`, rule }])
  })
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  // Keys that are derived from the secret, by day.
  const cache = new Map<string, ArrayBuffer>()

  return {
    connection,
    timeoutMs,
    async send({ method, key, query = '', headers = {}, content = false, signal }) {
      const url = `${addressOf(options, key)}${query}`
      const unsigned = { ...headers, 'x-amz-content-sha256': emptyHash }
      const signer = new AwsV4Signer({ method, url, headers: unsigned, ...credentials, service: 's3', region, cache })
      const signed = await signer.sign()
      using limit = createTimeLimit(timeoutMs, signal)
      const request = { method, uri: signed.url.href, headers: signed.headers.entries() }
      const answer = await sendRequest(request, agents, limit.signal)
      const { statusCode: status = 0 } = answer
      if (status === 200 && content) return answer
      const body = await readAnswer(answer, limit.signal)
      if (status === 200) return answer
      throw failureOf(status, answer.headers['retry-after'], readServiceCode(body))
    },
    async [Symbol.asyncDispose]() {
      agents[Symbol.dispose]()
    },
  }
}

/** Of no bytes: no request has a body. */
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function addressOf({ endpoint, addressing, bucket }: S3ClientOptions, key: string): string {
  const { protocol, host, pathname } = new URL(endpoint)
  const root = pathname.replace(/\/+$/, '')
  const parts = [...(addressing === 'path' ? [bucket] : []), ...(key === '' ? [] : key.split('/'))]
  const place = addressing === 'path' ? host : `${bucket}.${host}`
  return `${protocol}//${place}${root}/${parts.map(encodeForS3).join('/')}`
}

/** As a signature covers it, so that nobody has to encode anew what was sent: everything but letters, digits and `-_.~`. */
export const encodeForS3 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** S3 tells with 403, or 400, that it does not know the caller. */
const unknownCaller: ReadonlySet<string> = new Set([
  'SignatureDoesNotMatch',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'ExpiredToken',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
])

function failureOf(status: number, retryAfter: string | undefined, serviceCode: string | undefined): S3Failure {
  if (serviceCode !== undefined && unknownCaller.has(serviceCode))
    return new S3Failure(failed('target-unauthorized', `answered ${status}`), status, serviceCode)
  const judged = classify({ kind: 'answer', status, retryAfter, body: undefined }, successStatuses)
  return new S3Failure(judged.ok ? failed('target-error', `answered ${status}`) : judged.verdict, status, serviceCode)
}

const successStatuses: ReadonlySet<number> = new Set([200])

/** Only what looks like a code of S3: it becomes part of messages, where no text of a far side belongs. */
const readServiceCode = (body: Buffer): string | undefined =>
  /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(body.subarray(0, 65_536).toString())?.[1]
