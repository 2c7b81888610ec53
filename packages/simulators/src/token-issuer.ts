import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { createControl, obey } from './control-routes.ts'
import { createFarSide, type FarSide, type Operation } from './far-side.ts'
import { demand, Refusal } from './refusal.ts'
import { createClientCheck, type TokenClient, type TokenForm, tokenForm } from './token-client.ts'

export interface TokenIssuerOptions {
  /** Claim `iss`. */
  readonly issuer?: string
  /** Claim `aud` unless a token is asked for otherwise. */
  readonly audience?: string
  /** Who gets tokens; the client id becomes the subject. Default: anybody. */
  readonly clients?: readonly TokenClient[]
  /** Whose password gets tokens too. Default: the password grant is not offered. */
  readonly users?: readonly { readonly username: string; readonly password: string }[]
  /** Parameters that a request must carry with these values, such as `audience`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Lifetime of tokens. Default: 3600 s. */
  readonly lifetimeS?: number
}

/** Claims of one token; what is left out is a good token of this issuer. */
export interface TokenWish {
  readonly subject?: string | undefined
  readonly audience?: string | undefined
  readonly issuer?: string | undefined
  readonly scope?: string | undefined
  /** Negative: it expired that long ago. */
  readonly lifetimeS?: number | undefined
}

export interface TokenIssuer extends FarSide {
  readonly issuer: string
  /** The public keys, as `GET /jwks` serves them. */
  readonly jwks: { readonly keys: readonly JWK[] }
  issue(wish?: TokenWish): Promise<string>
  /** The next tokens given out by the token endpoint, in order, are like this. */
  nextToken(wish: TokenWish, times?: number): void
  /** Signature, issuer, audience and expiry are right: what a simulated system checks of a bearer token. */
  verify(token: string): Promise<boolean>
}

/** An identity provider: tokens at `POST /token`, RS256 keys at `GET /jwks`, bad tokens on demand. */
export async function createTokenIssuer(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
  const issuer = options.issuer ?? 'https://idp.simulated'
  const audience = options.audience ?? 'simulated'
  const lifetimeS = options.lifetimeS ?? 3600
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const header = { alg: 'RS256', kid: 'simulated-1' } as const
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), ...header, use: 'sig' }] }
  const wishes: TokenWish[] = []

  const issue = (wish: TokenWish = {}): Promise<string> => {
    const nowS = Math.floor(Date.now() / 1000)
    const expiresAtS = nowS + (wish.lifetimeS ?? lifetimeS)
    return new SignJWT(wish.scope === undefined ? {} : { scope: wish.scope })
      .setProtectedHeader(header)
      .setIssuer(wish.issuer ?? issuer)
      .setAudience(wish.audience ?? audience)
      .setSubject(wish.subject ?? 'simulated')
      .setIssuedAt(Math.min(nowS, expiresAtS))
      .setExpirationTime(expiresAtS)
      .sign(privateKey)
  }

  const findClient = createClientCheck(options.clients, issuer)
  const isUser = ({ username, password }: TokenForm) =>
    options.users?.some((user) => user.username === username && user.password === password) ?? false
  const token: Operation = {
    name: 'token',
    method: 'POST',
    path: '/token',
    accepts: 'form',
    async handle({ body, headers }) {
      const form = demand(tokenForm, body)
      const tokenUrl = `http://${headers.get('host')}/token`
      const client = await findClient({ form, authorization: headers.get('authorization'), tokenUrl })
      if (options.clients !== undefined && client === undefined) throw new Refusal(401, 'invalid_client')
      const missing = Object.entries(options.parameters ?? {}).find(([name, value]) => form[name] !== value)
      if (missing !== undefined) throw new Refusal(400, 'invalid_request', `${missing[0]} is missing or wrong`)
      if (form.grant_type === 'password' && options.users === undefined)
        throw new Refusal(400, 'unsupported_grant_type')
      if (form.grant_type === 'password' && !isUser(form)) throw new Refusal(400, 'invalid_grant')
      const { scope } = form
      const access_token = await issue({ subject: client?.clientId, scope, ...wishes.shift() })
      return { status: 200, body: { access_token, token_type: 'Bearer', expires_in: lifetimeS, scope }, applied: true }
    },
  }
  const keys: Operation = {
    name: 'jwks',
    method: 'GET',
    path: '/jwks',
    accepts: 'nothing',
    handle: () => ({ status: 200, body: jwks, applied: false }),
  }

  const nextToken = (wish: TokenWish, times = 1) => void wishes.push(...Array<TokenWish>(times).fill(wish))
  const farSide = createFarSide({
    operations: [token, keys],
    root: '',
    auth: undefined,
    renderRefusal: ({ title, detail, status }) => ({
      error: status === 400 ? 'invalid_request' : title,
      error_description: detail,
    }),
    state: () => ({ issuer, jwks, wishes }),
    resetState: () => {
      wishes.length = 0
    },
    control: createIssuerControl(issue, nextToken),
  })
  return {
    ...farSide,
    issuer,
    jwks,
    issue,
    nextToken,
    verify: (candidate) =>
      jwtVerify(candidate, publicKey, { issuer, audience, algorithms: ['RS256'] }).then(
        () => true,
        () => false,
      ),
  }
}

function createIssuerControl(issue: TokenIssuer['issue'], nextToken: TokenIssuer['nextToken']) {
  const wish = z.strictObject({
    subject: z.string().optional(),
    audience: z.string().optional(),
    issuer: z.string().optional(),
    scope: z.string().optional(),
    lifetimeS: z.number().int().optional(),
  })
  const wishes = z.strictObject({ ...wish.shape, times: z.number().int().min(1).optional() })
  const control = createControl()
  control.post('/issue', (c) => obey(c, wish, async (wanted) => ({ token: await issue(wanted) })))
  control.post('/next-token', (c) => obey(c, wishes, ({ times, ...wanted }) => nextToken(wanted, times)))
  return control
}
