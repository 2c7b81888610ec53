import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@tieline/runtime/configuration-error'
import type { Client } from '@tieline/runtime/installation'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { comeAgain, Refusal } from './problems.ts'

type JwtSettings = Extract<Client['credentials'][number], { jwt: unknown }>['jwt']

interface Rule {
  readonly client: Client
  readonly jwt: JwtSettings
  readonly keys: JWTVerifyGetKey
}

/** Signatures by public keys only: with a shared secret, whoever can check a token could make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

const leewayS = 30

/**
 * Tells which client a bearer token speaks for; undefined when it is good for none. The check throws a Refusal: 403 when all
 * but the scope is right (RFC 6750), 503 when the issuer's keys cannot be fetched.
 * @throws ConfigurationError when a key set file cannot be used
 */
export async function createTokenCheck(
  clients: readonly Client[],
): Promise<(token: string) => Promise<Client | undefined>> {
  const rules = await Promise.all(
    clients.flatMap((client) =>
      client.credentials.flatMap((credential) => ('jwt' in credential ? [createRule(client, credential.jwt)] : [])),
    ),
  )
  return async (token) => {
    const issuer = issuerOf(token)
    let lacksScope: Client | undefined
    for (const rule of rules.filter(({ jwt }) => jwt.issuer === issuer)) {
      const claims = await verify(token, rule)
      if (claims === undefined) continue
      if (rule.jwt.scope === undefined || scopesOf(claims).includes(rule.jwt.scope)) return rule.client
      lacksScope = rule.client
    }
    if (lacksScope !== undefined) {
      const headers = { 'www-authenticate': 'Bearer realm="tieline", error="insufficient_scope"' }
      throw new Refusal(403, 'not-allowed', 'The token lacks the required scope', { headers, client: lacksScope.name })
    }
    return undefined
  }
}

const createRule = async (client: Client, jwt: JwtSettings): Promise<Rule> => ({
  client,
  jwt,
  keys: jwt.jwksUrl === undefined ? await readKeys(client, jwt) : fetchKeys(jwt.jwksUrl),
})

/** Fetched when first needed and again for an unknown key id, but not more often than every 30 s. */
function fetchKeys(url: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), { cooldownDuration: 30_000, timeoutDuration: 3_000 })
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error
      throw comeAgain('unauthenticated', 'The keys of the token issuer cannot be fetched at the moment', error)
    }
  }
}

async function readKeys(client: Client, { jwksFile = '' }: JwtSettings): Promise<JWTVerifyGetKey> {
  try {
    return createLocalJWKSet(JSON.parse(await readFile(jwksFile, 'utf8')) as JSONWebKeySet)
  } catch {
    const path = `ingress.clients (${client.name}): jwksFile`
    throw new ConfigurationError('A key set cannot be used', [{ path, rule: 'must name a JSON Web Key Set' }])
  }
}

/** Unverified: it only chooses what to verify with. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

async function verify(token: string, { jwt, keys }: Rule): Promise<JWTPayload | undefined> {
  const { issuer, audience, subject } = jwt
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      clockTolerance: leewayS,
      requiredClaims: ['exp'],
      ...(subject !== undefined && { subject }),
    })
    return payload
  } catch (error) {
    if (error instanceof Refusal) throw error
    return undefined
  }
}

/** Issuers write scopes as one text or as a list, under `scope` (RFC 8693) or `scp`. */
const scopesOf = ({ scope, scp }: JWTPayload): unknown[] =>
  [scope, scp].flatMap((value) => (typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []))
