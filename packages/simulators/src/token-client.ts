import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { basicAuthorization } from './authenticator.ts'
import { Refusal } from './refusal.ts'

/** A client that the simulated issuer knows, by its secret or by the public key that checks its assertions. */
export interface TokenClient {
  readonly clientId: string
  readonly clientSecret?: string
  /** PEM. With it the client must sign an assertion. */
  readonly publicKey?: string
  /** Where the secret must stand; default: in either place. */
  readonly secretIn?: 'header' | 'body'
}

export const tokenForm = z.record(z.string(), z.string()).and(
  z.object({
    grant_type: z.enum(['client_credentials', 'password']),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    client_secret: z.string().optional(),
    client_assertion: z.string().optional(),
    client_assertion_type: z.string().optional(),
    username: z.string().optional(),
    password: z.string().optional(),
  }),
)
export type TokenForm = z.output<typeof tokenForm>

interface Presented {
  readonly form: TokenForm
  readonly authorization: string | null
  /** Address of the token endpoint. */
  readonly tokenUrl: string
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Finds the client that proved itself: by one way only, and by an assertion that was never seen before (RFC 7523, section 3). */
export function createClientCheck(clients: readonly TokenClient[] | undefined, issuer: string) {
  const used = new Set<string>()

  const hasSigned = async ({ form, tokenUrl }: Presented, { clientId, publicKey = '' }: TokenClient) => {
    if (form.client_assertion_type !== assertionType || form.client_assertion === undefined) return false
    const key = createPublicKey(publicKey)
    const rules = { issuer: clientId, subject: clientId, audience: [tokenUrl, issuer], requiredClaims: ['exp', 'jti'] }
    const verified = await jwtVerify(form.client_assertion, key, rules).catch(() => undefined)
    const id = verified?.payload.jti
    if (id === undefined || used.has(id)) return false
    used.add(id)
    return true
  }
  const hasSecret = ({ form, authorization }: Presented, { clientId, clientSecret, secretIn }: TokenClient) => {
    if (clientSecret === undefined) return form.client_id === clientId
    const inForm = form.client_id === clientId && form.client_secret === clientSecret && secretIn !== 'header'
    const inHeader = authorization === basicAuthorization(encoded(clientId, clientSecret)) && secretIn !== 'body'
    return inHeader || inForm
  }

  return async (presented: Presented): Promise<TokenClient | undefined> => {
    const { form, authorization } = presented
    const ways = [authorization, form.client_secret, form.client_assertion].filter((way) => way != null)
    if (ways.length > 1) throw new Refusal(400, 'invalid_request', 'A client proves itself in one way')
    for (const client of clients ?? []) {
      const proved = client.publicKey === undefined ? hasSecret(presented, client) : await hasSigned(presented, client)
      if (proved) return client
    }
    return undefined
  }
}

/** RFC 6749, section 2.3.1: both are form-encoded before they become HTTP Basic. */
const encoded = (clientId: string, clientSecret: string) => ({
  username: formEncoded(clientId),
  password: formEncoded(clientSecret),
})

const formEncoded = (value: string) => new URLSearchParams({ '': value }).toString().slice(1)
