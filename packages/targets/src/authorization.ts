import { classifyTokenFailure, type Verdict } from './classify.ts'
import type { TellAssertion } from './client-assertion.ts'
import type { Exchange, Exchanged } from './exchange.ts'
import { createTimeLimit } from './time-limit.ts'
import { basicHeader, createTokenRequests, type OAuth2Auth } from './token-request.ts'

export interface BasicAuth {
  readonly username: string
  readonly password: string
}

/** How a connection proves who we are. */
export type Auth = 'none' | { readonly basic: BasicAuth } | { readonly oauth2: OAuth2Auth }

/** The value of the Authorization header (undefined: none is configured), or why there is none. */
export type Credentials = { readonly header: string | undefined } | { readonly failure: Verdict }

export interface Authorization {
  /** Rejects never. A token that is about to expire is replaced first; concurrent callers share one request for it. */
  credentials(): Promise<Credentials>
  /** To be called when the target refused `header`. True when another one is worth a try. */
  renew(header: string | undefined): boolean
}

interface AuthorizationOptions {
  readonly exchange: Exchange
  /** Limit of one request for a token. */
  readonly timeoutMs: number
  readonly tell?: TellAssertion | undefined
}

export function createAuthorization(auth: Auth, options: AuthorizationOptions): Authorization {
  if (auth !== 'none' && 'oauth2' in auth) return createTokenSource(auth.oauth2, options)
  const header = auth === 'none' ? undefined : basicHeader(auth.basic.username, auth.basic.password)
  return { credentials: async () => ({ header }), renew: () => false }
}

/** Access tokens of OAuth 2 (RFC 6749), fetched when one is needed. */
function createTokenSource(oauth2: OAuth2Auth, { exchange, timeoutMs, tell }: AuthorizationOptions): Authorization {
  const makeRequest = createTokenRequests(oauth2, tell)
  let token: { header: string; staleAtMs: number } | undefined
  let fetching: Promise<Credentials> | undefined

  const fetchToken = async (): Promise<Credentials> => {
    using limit = createTimeLimit(timeoutMs)
    const request = await makeRequest()
    if ('failure' in request) return request
    const exchanged = await exchange(request, limit.signal)
    const grant = readGrant(exchanged)
    if (grant === undefined) return { failure: classifyTokenFailure(exchanged) }
    token = { header: `Bearer ${grant.accessToken}`, staleAtMs: performance.now() + usableMs(grant.expiresInMs) }
    return { header: token.header }
  }

  return {
    async credentials() {
      if (token !== undefined && performance.now() < token.staleAtMs) return { header: token.header }
      fetching ??= fetchToken().finally(() => {
        fetching = undefined
      })
      return fetching
    },
    renew(header) {
      // Another call may have replaced the refused token already.
      if (token?.header === header) token = undefined
      return true
    },
  }
}

/** A token is given up a minute, but at most a fifth of its life, before it expires, so that none expires under way. */
const usableMs = (expiresInMs: number): number => expiresInMs - Math.min(60_000, expiresInMs / 5)

/** What to assume when the endpoint does not say how long a token lives. */
const defaultExpiresInS = 300

function readGrant(exchanged: Exchanged): { accessToken: string; expiresInMs: number } | undefined {
  if (exchanged.kind !== 'answer' || exchanged.status !== 200) return undefined
  const body = exchanged.body
  if (typeof body !== 'object' || body === null || !('access_token' in body)) return undefined
  const accessToken = body.access_token
  // A token goes into a header: line breaks and the like must not.
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken)) return undefined
  const expiresInS = 'expires_in' in body ? Number(body.expires_in) : defaultExpiresInS
  return { accessToken, expiresInMs: 1_000 * (expiresInS > 0 ? expiresInS : defaultExpiresInS) }
}
