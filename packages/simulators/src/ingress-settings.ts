import { z } from 'zod'
import { basicAuthorization } from './authenticator.ts'
import type { IngressAddress } from './ingress-caller.ts'

const clientCredentials = z.strictObject({
  tokenUrl: z.url(),
  clientId: z.string(),
  clientSecret: z.string(),
  scope: z.string().optional(),
})

/** The ingress as a file, an environment or a control call can name it. */
export const ingressSettings = z.strictObject({
  baseUrl: z.url(),
  basic: z.strictObject({ username: z.string(), password: z.string() }).optional(),
  oauth2: clientCredentials.optional(),
})

export type IngressSettings = z.infer<typeof ingressSettings>

export function toIngressAddress({ baseUrl, basic, oauth2 }: IngressSettings): IngressAddress {
  return { baseUrl, basic, bearer: oauth2 && createTokenFetcher(oauth2) }
}

/** A new token by client credentials at each call. @throws Error when the issuer gives none */
function createTokenFetcher(client: z.infer<typeof clientCredentials>): () => Promise<string> {
  const { tokenUrl, clientId, clientSecret, scope } = client
  return async () => {
    const response = await fetch(tokenUrl, {
      method: 'POST',
      headers: { authorization: basicAuthorization({ username: clientId, password: clientSecret }) },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }),
    })
    if (!response.ok) throw new Error(`Token endpoint answered ${response.status}`)
    return z.object({ access_token: z.string() }).parse(await response.json()).access_token
  }
}
