import type { Client } from '@tieline/runtime/installation'
import { createBasicCheck } from './basic-check.ts'
import { Refusal } from './problems.ts'
import { createTokenCheck } from './token-check.ts'

/**
 * Tells which client sent a request, from its Authorization header.
 * @throws Refusal 401 when it is none that we know; see also `createTokenCheck`
 */
export type Authenticate = (authorization: string | undefined) => Promise<Client>

/** @throws ConfigurationError when a key set file cannot be used */
export async function createAuthenticate(clients: readonly Client[]): Promise<Authenticate> {
  const checkBasic = createBasicCheck(clients)
  const checkToken = await createTokenCheck(clients)
  const schemes = new Set(clients.flatMap(({ credentials }) => credentials.flatMap((way) => Object.keys(way))))
  const challenges = [
    ...(schemes.has('basic') ? ['Basic realm="tieline", charset="UTF-8"'] : []),
    ...(schemes.has('jwt') ? ['Bearer realm="tieline"'] : []),
  ].join(', ')

  return async (authorization = '') => {
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? []
    const client = await clientOf(scheme.toLowerCase(), credentials)
    if (client !== undefined) return client
    const headers = { 'www-authenticate': challenges }
    throw new Refusal(401, 'unauthenticated', 'Credentials are missing, wrong or expired', { headers })
  }

  function clientOf(scheme: string, credentials: string) {
    if (scheme === 'basic') return checkBasic(credentials)
    return scheme === 'bearer' ? checkToken(credentials) : undefined
  }
}
