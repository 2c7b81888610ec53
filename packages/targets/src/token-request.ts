import { backoff } from '@tieline/runtime/error'
import type { Verdict } from './classify.ts'
import { type AssertionKey, createAssertions, type TellAssertion } from './client-assertion.ts'

export interface OAuth2Auth {
  readonly tokenUrl: string
  readonly clientId: string
  /** Either this, or `privateKeyFile`, or neither for a client that only names itself. */
  readonly clientSecret?: string | undefined
  /** Where the secret goes: HTTP Basic (the default), or the form. */
  readonly clientSecretIn?: 'header' | 'body' | undefined
  /** Signs an assertion in place of a secret. */
  readonly privateKeyFile?: string | undefined
  /** `kid` of the assertion. */
  readonly keyId?: string | undefined
  /** `aud` of the assertion; the token endpoint unless told. */
  readonly assertionAudience?: string | undefined
  /** With `password`: the password grant instead of client credentials. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly scope?: string | undefined
  /** What else the token endpoint asks for, such as `audience` or `resource`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

export interface TokenRequest {
  readonly method: 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The request for an access token: client credentials (RFC 6749, section 4.4) or the password of a resource owner (section 4.3).
 * The client proves itself by its secret, in the header or in the form (section 2.3.1), or by an assertion that it signs
 * (RFC 7523, section 2.2).
 */
export function createTokenRequests(oauth2: OAuth2Auth, tell?: TellAssertion): () => Promise<MadeRequest> {
  const key = assertionKey(oauth2)
  const assert = key && createAssertions(key, tell)
  return () => tokenRequest(oauth2, assert)
}

type MadeRequest = TokenRequest | { readonly failure: Verdict }

async function tokenRequest(oauth2: OAuth2Auth, assert: (() => Promise<string>) | undefined): Promise<MadeRequest> {
  const { tokenUrl, clientId, clientSecret, clientSecretIn = 'header', scope, parameters = {} } = oauth2
  const form = new URLSearchParams(grantOf(oauth2))
  if (scope !== undefined) form.set('scope', scope)
  for (const [name, value] of Object.entries(parameters)) form.set(name, value)
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }

  if (assert !== undefined) {
    const assertion = await assert().catch(() => undefined)
    if (assertion === undefined) return { failure: noAssertion }
    form.set('client_id', clientId)
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', assertion)
  } else if (clientSecret === undefined || clientSecretIn === 'body') {
    form.set('client_id', clientId)
    if (clientSecret !== undefined) form.set('client_secret', clientSecret)
  } else {
    headers.authorization = basicHeader(formEncode(clientId), formEncode(clientSecret))
  }
  return { method: 'POST', url: tokenUrl, headers, body: form.toString() }
}

const grantOf = ({ username, password }: OAuth2Auth): Record<string, string> =>
  username !== undefined && password !== undefined
    ? { grant_type: 'password', username, password }
    : { grant_type: 'client_credentials' }

/** What signs the assertions of a client; undefined when it has a secret. */
export const assertionKey = (oauth2: OAuth2Auth): AssertionKey | undefined =>
  oauth2.privateKeyFile === undefined
    ? undefined
    : {
        clientId: oauth2.clientId,
        audience: oauth2.assertionAudience ?? oauth2.tokenUrl,
        file: oauth2.privateKeyFile,
        keyId: oauth2.keyId,
      }

const noAssertion: Verdict = {
  code: 'target-unauthorized',
  retry: backoff,
  outcome: 'failed',
  message: 'got no token: the private key of its client cannot be used',
}

export const basicHeader = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const formEncode = (value: string): string => new URLSearchParams({ '': value }).toString().slice(1)
