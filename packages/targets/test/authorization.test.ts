import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallError } from '@tieline/runtime/error'
import { startTokenIssuer } from '@tieline/simulators/start'
import { afterAll, describe, expect, it } from 'vitest'
import { type FarSide, json, type Respond, startFarSide } from './far-side.ts'
import { createTestTarget, failureOf } from './target.ts'

/** A target that takes only `valid` tokens, and a token endpoint that issues t1, t2, … */
async function setup(options: { expiresInS?: number; onToken?: Respond; accepts?: (header: string) => boolean } = {}) {
  let issued = 0
  const tokens = await startFarSide(
    options.onToken ??
      ((_request, response) => {
        issued += 1
        response.end(JSON.stringify({ access_token: `t${issued}`, expires_in: options.expiresInS ?? 3_600 }))
      }),
  )
  const far = await startFarSide((request, response) => {
    const accepted = options.accepts?.(request.headers.authorization ?? '') ?? true
    response.writeHead(accepted ? 200 : 401).end('{}')
  })
  const target = await createTestTarget({
    auth: { oauth2: { tokenUrl: tokens.url, clientId: 'tie line', clientSecret: 's&cret', scope: 'nms' } },
  })
  const tokensUsed = () => far.received.map(({ headers }) => headers.authorization)
  return {
    tokens,
    far,
    tokensUsed,
    call: () => target.post(far.url),
    async [Symbol.asyncDispose]() {
      target[Symbol.dispose]()
      await Promise.all([tokens, far].map((side: FarSide) => side[Symbol.asyncDispose]()))
    },
  }
}

it('fetches one token for many calls at once and keeps it', async () => {
  await using test = await setup()
  await Promise.all(Array.from({ length: 10 }, test.call))
  await test.call()
  expect(test.tokens.received).toHaveLength(1)
  expect(new Set(test.tokensUsed())).toEqual(new Set(['Bearer t1']))
  const [request] = test.tokens.received
  expect(request?.body).toBe('grant_type=client_credentials&scope=nms')
  expect(request?.headers).toMatchObject({
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from('tie+line:s%26cret').toString('base64')}`,
  })
})

it('replaces a token before it expires', async () => {
  // The token is good for 50 ms, of which the last 10 are not used.
  await using test = await setup({ expiresInS: 0.05 })
  await test.call()
  // Until the last 10 ms of the token's life.
  await new Promise((resolve) => setTimeout(resolve, 41))
  await test.call()
  expect(test.tokensUsed()).toEqual(['Bearer t1', 'Bearer t2'])
})

it('tries once more with a new token after a 401', async () => {
  await using test = await setup({ accepts: (header) => header === 'Bearer t2' })
  expect(await test.call()).toMatchObject({ status: 200 })
  expect(test.tokensUsed()).toEqual(['Bearer t1', 'Bearer t2'])
})

it('replaces a withdrawn token once for all calls that met it', async () => {
  await using test = await setup({ accepts: (header) => header === 'Bearer t2' })
  await Promise.all(Array.from({ length: 8 }, test.call))
  expect(test.tokens.received).toHaveLength(2)
})

it('gives up after a second 401, and pauses', async () => {
  await using test = await setup({ accepts: () => false })
  const error = await failureOf(test.call())
  expect(error).toMatchObject({ code: 'target-unauthorized', outcome: 'failed', status: 401 })
  expect(test.far.received).toHaveLength(2)
  expect(await failureOf(test.call())).toMatchObject({ code: 'connection-paused' })
  expect(test.tokens.received).toHaveLength(2)
})

it('pauses when the token endpoint refuses the client, without a call', async () => {
  await using test = await setup({ onToken: json(401, { error: 'invalid_client' }) })
  const error = await failureOf(test.call())
  expect(error).toMatchObject({ code: 'target-unauthorized', outcome: 'failed' })
  expect(error.message).toBe('FAR: enroll got no token: the token endpoint answered 401')
  expect(error.status).toBeUndefined()
  expect(await failureOf(test.call())).toMatchObject({ code: 'connection-paused' })
  expect(test.tokens.received).toHaveLength(1)
  expect(test.far.received).toHaveLength(0)
})

it('asks again for a token after the endpoint has failed', async () => {
  let failing = true
  await using test = await setup({
    onToken: (request, response, socket) =>
      failing ? socket.destroy() : json(200, { access_token: 't' })(request, response, socket),
  })
  expect(await failureOf(test.call())).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  failing = false
  expect(await test.call()).toMatchObject({ status: 200 })
})

it.each([{}, { access_token: '' }, { access_token: 'two\r\nlines: here' }, { access_token: 7 }])(
  'does not send what is no token: %j',
  async (grant) => {
    await using test = await setup({ onToken: json(200, grant) })
    expect(await failureOf(test.call())).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(test.far.received).toHaveLength(0)
  },
)

it('gives up in time when the token endpoint hangs, and nothing was applied', async () => {
  await using tokens = await startFarSide(() => undefined)
  await using far = await startFarSide(json(200))
  const oauth2 = { tokenUrl: tokens.url, clientId: 'tieline', clientSecret: 'secret' }
  using target = await createTestTarget({ auth: { oauth2 }, timeoutMs: 100 })
  const error = await failureOf(target.post(far.url))
  expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  expect(error.message).toBe('FAR: enroll got no token: no answer of the token endpoint (timeout)')
  expect(tokens.received).toHaveLength(1)
  expect(far.received).toHaveLength(0)
})

describe('a client proves itself', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = await mkdtemp(join(tmpdir(), 'tieline-assertion-'))
  const keep = async (name: string, key: KeyObject) => {
    const file = join(folder, name)
    await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }))
    return file
  }
  const privateKeyFile = await keep('rsa.pem', privateKey)
  const ellipticKeyFile = await keep('ec.pem', elliptic.privateKey)
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
  const idp = await startTokenIssuer({
    clients: [
      { clientId: 'by header', clientSecret: 's&cret', secretIn: 'header' },
      { clientId: 'by-form', clientSecret: 's&cret', secretIn: 'body' },
      { clientId: 'by-key', publicKey: pem(publicKey) },
      { clientId: 'by-curve', publicKey: pem(elliptic.publicKey) },
      { clientId: 'public' },
    ],
    users: [{ username: 'oic', password: 'p&w' }],
    parameters: { audience: 'nms' },
  })
  afterAll(async () => {
    await idp[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const header = { clientId: 'by header', clientSecret: 's&cret' }
  const user = { username: 'oic', password: 'p&w' }

  /** What the target was sent, or the failure. */
  async function loginWith(oauth2: object, parameters: object = { audience: 'nms' }) {
    await using far = await startFarSide(json(200))
    const auth = { oauth2: { tokenUrl: `${idp.url}/token`, clientId: '', parameters: { ...parameters }, ...oauth2 } }
    using target = await createTestTarget({ auth })
    const answer = await target.post(far.url).catch((error: CallError) => error.message)
    if (typeof answer === 'string') return answer
    return idp.simulator.verify(far.received[0]?.headers.authorization?.replace('Bearer ', '') ?? '')
  }

  it.each<[way: string, oauth2: object]>([
    ['by its secret in the header', header],
    ['by its secret in the form', { clientId: 'by-form', clientSecret: 's&cret', clientSecretIn: 'body' }],
    ['by an assertion of an RSA key', { clientId: 'by-key', privateKeyFile }],
    ['by an assertion of an elliptic curve key', { clientId: 'by-curve', privateKeyFile: ellipticKeyFile }],
    [
      'by an assertion for the name of the issuer',
      { clientId: 'by-key', privateKeyFile, assertionAudience: 'https://idp.simulated', keyId: '1' },
    ],
    ['and a user by a password', { ...header, ...user }],
    ['by its name alone, for a user with a password', { clientId: 'public', ...user }],
  ])('%s', async (_, oauth2) => {
    expect(await loginWith(oauth2)).toBe(true)
    // A second token needs an assertion of its own.
    expect(await loginWith(oauth2)).toBe(true)
  })

  it.each<[way: string, oauth2: object, parameters: object | undefined, status: number]>([
    ['the header where the form is wanted', { clientId: 'by-form', clientSecret: 's&cret' }, undefined, 401],
    ['the form where the header is wanted', { ...header, clientSecretIn: 'body' }, undefined, 401],
    ['the key of another client', { clientId: 'by-key', privateKeyFile: ellipticKeyFile }, undefined, 401],
    ['another audience', { clientId: 'by-key', privateKeyFile, assertionAudience: 'x' }, undefined, 401],
    ['a wrong password', { ...header, ...user, password: 'x' }, undefined, 400],
    ['no parameter that is asked for', header, {}, 400],
  ])('not by %s', async (_, oauth2, parameters, status) => {
    expect(await loginWith(oauth2, parameters)).toBe(`FAR: enroll got no token: the token endpoint answered ${status}`)
  })

  it('by the key that its file holds now', async () => {
    const file = await keep('changing.pem', elliptic.privateKey)
    const oauth2 = { clientId: 'by-key', privateKeyFile: file }
    expect(await loginWith(oauth2)).toContain('answered 401')
    await keep('changing.pem', privateKey)
    expect(await loginWith(oauth2)).toBe(true)
    await writeFile(file, 'no key')
    expect(await loginWith(oauth2)).toBe('FAR: enroll got no token: the private key of its client cannot be used')
  })
})
