import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { parseExactJson } from '@tieline/contracts/exact-json'
import type { MayCall } from '@tieline/runtime/call-target'
import { CallError } from '@tieline/runtime/error'
import got from 'got'
import { outOfTime } from './time-limit.ts'

/** What came of one HTTP request. `sent` says whether any of it may have left this machine towards the target. */
export type Exchanged =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly retryAfter: string | undefined
      /** Undefined when it is not JSON. */
      readonly body: unknown
      /** What is not JSON. */
      readonly text?: string | undefined
    }
  /** The answer is larger than the limit; it was not read to its end. */
  | { readonly kind: 'oversize'; readonly status: number; readonly retryAfter: string | undefined }
  | Broken

export interface Broken {
  readonly kind: 'broken'
  readonly reason: 'timeout' | 'stopped' | 'network'
  readonly sent: boolean
  /** Error code of the socket or the TLS layer, such as `ECONNREFUSED`, or the status of a proxy that refused. */
  readonly errorCode: string | undefined
}

/** A body that is sent as it is read, such as a file. */
export interface Content {
  readonly bytes: number
  /** Reads it from its beginning. The stream fails rather than end short. @throws CallError */
  open(): Promise<Readable>
}

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'OPTIONS'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Already serialized. */
  readonly body?: string | undefined
  readonly content?: (Content & { readonly onProgress: (sentBytes: number) => void }) | undefined
  /** Asked when the connection stands; until the answer nothing is sent. */
  readonly mayCall?: MayCall | undefined
}

/**
 * Makes one HTTP request: whatever happened is in the result.
 * @throws what `mayCall` threw: then nothing was sent; CallError that the content threw: it could not be read to its end, so the
 * target cannot have taken it
 */
export type Exchange = (request: ExchangeRequest, signal: AbortSignal) => Promise<Exchanged>

export interface ExchangeOptions {
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  readonly maxAnswerBytes: number
}

/** One request, one answer: no retries, no redirects, no decompression, so that nothing happens that the caller did not ask for. */
export function createExchange({ agents, maxAnswerBytes }: ExchangeOptions): Exchange {
  const client = got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    // A small compressed answer can unpack to any size; asking for none keeps the limit honest.
    decompress: false,
    headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'tieline' },
  })

  return async ({ method, url, headers, body, content, mayCall }, signal) => {
    const stream = await content?.open()
    let unreadable: CallError | undefined
    // The client ends the stream with an error of its own when the connection breaks.
    stream?.once('error', (error) => {
      if (error instanceof CallError) unreadable = error
    })
    let forbidden: { readonly error: unknown } | undefined
    let sent = false
    let request: ClientRequest | undefined
    let response: IncomingMessage | undefined
    let oversize = false
    const whole = stream ?? body
    const agent = { http: agents.http, https: agents.https }
    const running = client(url, { method, headers, signal, agent, ...(whole !== undefined && { body: whole }) })
    if (content) running.on('uploadProgress', ({ transferred }) => content.onProgress(transferred))
    running.on('request', (native) => {
      request = native
      native.once('response', (head) => {
        response = head
      })
      holdUntil(native, mayCall, {
        allowed: () => {
          sent = true
        },
        forbidden: (error) => {
          forbidden = { error }
        },
      })
    })
    running.on('downloadProgress', ({ transferred, total }) => {
      if (Math.max(transferred, total ?? 0) <= maxAnswerBytes) return
      oversize = true
      request?.destroy()
    })
    try {
      const answer = await running
      const head = { status: answer.statusCode, retryAfter: answer.headers['retry-after'] }
      // The limit may be passed by the very last bytes, when there is nothing left to stop.
      return oversize ? { kind: 'oversize', ...head } : { kind: 'answer', ...head, ...readBody(answer.body) }
    } catch (error) {
      if (oversize && response?.statusCode !== undefined) {
        return { kind: 'oversize', status: response.statusCode, retryAfter: response.headers['retry-after'] }
      }
      if (forbidden) throw forbidden.error
      if (unreadable) throw unreadable
      if (signal.aborted) return brokenOff(signal, sent)
      return { kind: 'broken', reason: 'network', sent, errorCode: reasonOf(error) }
    } finally {
      // An answer may come before all was sent; then nothing more shall be read.
      stream?.destroy()
    }
  }
}

/** What came of a request that the signal ended, or kept from being made. */
export const brokenOff = (signal: AbortSignal, sent: boolean): Broken => ({
  kind: 'broken',
  reason: signal.reason === outOfTime ? 'timeout' : 'stopped',
  sent,
  errorCode: undefined,
})

/**
 * Node sends nothing of a request before its connection stands and, with TLS, before the certificate is verified.
 * A reused connection stands already, and so does one that a proxy opened for plain HTTP.
 */
export function onceConnected(request: ClientRequest, connected: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) connected()
    else if (socket instanceof TLSSocket) socket.once('secureConnect', connected)
    else if (socket.connecting) socket.once('connect', connected)
    else connected()
  })
}

interface Held {
  /** Something may be sent from now on. */
  readonly allowed: () => void
  /** Nothing was sent, and nothing will be. */
  readonly forbidden: (error: unknown) => void
}

/** Holds back all that the request writes until its connection stands and it may be made. */
function holdUntil(request: ClientRequest, mayCall: MayCall | undefined, { allowed, forbidden }: Held): void {
  request.once('socket', (socket) => socket.cork())
  const send = () => {
    // Out of time meanwhile.
    if (request.destroyed) return
    allowed()
    request.socket?.uncork()
  }
  onceConnected(request, () => {
    const asking = mayCall?.()
    if (asking === undefined) return send()
    asking.then(send, (error: unknown) => {
      forbidden(error)
      request.destroy()
    })
  })
}

/** Codes only: messages of errors hold addresses. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const [, proxyStatus] = /^Bad response: (\d{3})$/.exec(error.message) ?? []
  if (proxyStatus !== undefined) return `proxy answered ${proxyStatus}`
  return 'code' in error && error.code !== 'ERR_GOT_REQUEST_ERROR' ? String(error.code) : undefined
}

function readBody(whole: string): { readonly body: unknown; readonly text?: string } {
  try {
    return { body: parseExactJson(whole.replace(/^\uFEFF/, '')) }
  } catch {
    return { body: undefined, text: whole }
  }
}
