import { generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { createOciClient } from '../src/oci-client.ts'
import { createOciSource } from '../src/oci-source.ts'
import { createAuthority } from './certificates.ts'
import { startFarSide } from './far-side.ts'
import { failureOf } from './file-source-suite.ts'
import { startTestStorage } from './oci-recipe.ts'

const tenancy = 'ocid1.tenancy.oc1..t'

/** A token as OCI gives one out: its signature is for OCI alone. */
const sessionToken = (expiresInS: number) =>
  [{ alg: 'RS256' }, { exp: Math.round(Date.now() / 1_000) + expiresInS, sub: 'instance' }, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')

const pemOf = (body: string) =>
  `-----BEGIN PUBLIC KEY-----\n${body.replaceAll(/(.{64})/g, '$1\n')}\n-----END PUBLIC KEY-----\n`

/** What an instance of OCI has around it, and an Object Storage that knows the tokens given out here. */
async function startCloud({ expiresInS = 3_600 } = {}) {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await startTestStorage())
  const authority = createAuthority('OCI')
  const leaf = authority.issue('instance', `opc-tenant:${tenancy}`)
  const cloud = { tokens: 0, refusing: false }
  const metadata = stack.use(
    await startFarSide(({ path, headers }, response) => {
      const files: Record<string, string> = {
        '/opc/v2/identity/cert.pem': leaf.cert,
        '/opc/v2/identity/key.pem': leaf.key,
        '/opc/v2/identity/intermediate.pem': authority.cert,
      }
      const file = headers.authorization === 'Bearer Oracle' ? files[path] : undefined
      response.writeHead(file === undefined ? 404 : 200).end(file)
    }),
  )
  const federation = stack.use(
    await startFarSide(({ path, body, headers }, response) => {
      const signed = headers.authorization?.includes(`keyId="${tenancy}/fed-x509`) ?? false
      if (path !== '/v1/x509' || !signed || cloud.refusing) return response.writeHead(401).end('{}')
      const token = sessionToken(expiresInS)
      cloud.tokens += 1
      const { publicKey } = JSON.parse(body) as { publicKey: string }
      place.storage.addKey(`ST$${token}`, pemOf(publicKey.replaceAll(/\s/g, '')))
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }))
    }),
  )
  const owned = stack.move()
  const open = async (login: object) => {
    const { endpoint } = place.recipe
    const client = await createOciClient({ connection: 'DACS_BUCKET', endpoint, proxy: '', timeoutMs: 5_000, ...login })
    return createOciSource({ client, bucket: 'scores' })
  }
  const instance = { principal: 'instance', metadataUrl: `${metadata.url}/opc/v2/`, federationUrl: federation.url }
  return { place, cloud, open, instance, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

afterEach(() => vi.unstubAllEnvs())

test('an instance logs in with the token that its certificate brings, asked for once', async () => {
  await using around = await startCloud()
  await using source = await around.open(around.instance)
  expect(around.cloud.tokens).toBe(0)
  await around.place.put('file', 'content')
  expect(await source.list('')).toHaveLength(1)
  expect(await source.list('')).toHaveLength(1)
  expect(around.cloud.tokens).toBe(1)
})

test('an instance that gets no token says so, and asks again', async () => {
  await using around = await startCloud()
  around.cloud.refusing = true
  await using source = await around.open(around.instance)
  vi.spyOn(console, 'log').mockReturnValue()
  expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-unauthorized', outcome: 'failed' })
  around.cloud.refusing = false
  expect(await source.list('')).toEqual([])
})

test('outside of an instance, the wait for a token ends', async () => {
  await using silent = await startFarSide(() => undefined)
  await using around = await startCloud()
  await using source = await around.open({ ...around.instance, metadataUrl: silent.url, timeoutMs: 100 })
  expect(await failureOf(source.list(''))).toMatchObject({ code: 'target-timeout', outcome: 'failed' })
})

test('a resource logs in with the token in its environment', async () => {
  await using around = await startCloud()
  const token = sessionToken(3_600)
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  around.place.storage.addKey(`ST$${token}`, publicKey.export({ type: 'spki', format: 'pem' }).toString())
  vi.stubEnv('OCI_RESOURCE_PRINCIPAL_VERSION', '2.2')
  vi.stubEnv('OCI_RESOURCE_PRINCIPAL_RPST', token)
  vi.stubEnv('OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  vi.stubEnv('OCI_RESOURCE_PRINCIPAL_REGION', 'us-phoenix-1')
  await using source = await around.open({ principal: 'resource' })
  await around.place.put('file', 'content')
  expect(await source.list('')).toHaveLength(1)
})

test('a process that is no resource is told what it lacks', async () => {
  await using around = await startCloud()
  await expect(around.open({ principal: 'resource' })).rejects.toMatchObject({
    faults: [
      { path: 'connections.DACS_BUCKET.principal', rule: expect.stringContaining('OCI_RESOURCE_PRINCIPAL_VERSION') },
    ],
  })
})
