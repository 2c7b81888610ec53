import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { base64url, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { basic, dacs, derms, openIngress, stageStatus, syncAck } from './harness.ts'

const jwt = { issuer: 'https://idp.example', audience: 'tieline', scope: 'tieline', subject: 'derms-app' }
let pair: Awaited<ReturnType<typeof generateKeyPair>>
let other: typeof pair

beforeAll(async () => {
  ;[pair, other] = await Promise.all([
    generateKeyPair('RS256', { extractable: true }),
    generateKeyPair('RS256', { extractable: true }),
  ])
})

const keySet = async () => ({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] })
const nowS = () => Math.floor(Date.now() / 1_000)
const claims = (more: Record<string, unknown> = {}): JWTPayload => ({
  iss: jwt.issuer,
  aud: jwt.audience,
  sub: jwt.subject,
  scope: 'openid tieline',
  exp: nowS() + 300,
  ...more,
})
const sign = (payload: JWTPayload, { key = pair.privateKey, kid = 'k1' } = {}) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(key)

/** An ingress whose DERMS shows a token of a key set file, or its user name and password. */
async function openWithTokens() {
  await using opened = new AsyncDisposableStack()
  const directory = opened.use(await mkdtempDisposable(join(tmpdir(), 'tieline-keys-')))
  const jwksFile = join(directory.path, 'jwks.json')
  await writeFile(jwksFile, JSON.stringify(await keySet()))
  const credentials = [...derms.credentials, { jwt: { ...jwt, jwksFile } }]
  const ingress = opened.use(await openIngress({ ingress: { clients: [{ ...derms, credentials }, dacs] } }))
  const running = opened.move()
  return { ...ingress, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const postAck = (ingress: Pick<Awaited<ReturnType<typeof openIngress>>, 'post'>, authorization: string | undefined) =>
  ingress.post('enrollment-sync-ack', syncAck('SYNC-1'), { headers: { authorization } })

describe('a user name and password', () => {
  test('let in who knows them, and nobody else; nothing is recorded of a refused message', async () => {
    await using ingress = await openIngress()
    for (const authorization of [
      undefined,
      basic('derms', 'wrong'),
      basic('derms', ''),
      basic('nobody', 'pw-derms'),
      basic('dacs', 'pw-derms'),
      'Basic !!!',
      'Basic',
      'Digest username="derms"',
      `Bearer ${await sign(claims())}`,
    ]) {
      const answer = await postAck(ingress, authorization)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="tieline", charset="UTF-8"')
      expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated', title: 'Unauthorized' })
    }
    expect(await ingress.recorded()).toEqual([])
    expect((await postAck(ingress, basic('derms', 'pw-derms'))).status).toBe(202)
    expect(await ingress.recorded()).not.toEqual([])
  })

  test('may be two at a time, so that a rotation overlaps; colons and letters of all kinds are allowed', async () => {
    const credentials = [
      { basic: { username: 'derms', password: 'old:one' } },
      { basic: { username: 'derms', password: 'neu-ñ-密' } },
    ]
    await using ingress = await openIngress({ ingress: { clients: [{ ...derms, credentials }] } })
    for (const [password, status] of [
      ['old:one', 202],
      ['neu-ñ-密', 202],
      ['old', 401],
    ] as const)
      expect((await postAck(ingress, basic('derms', password))).status).toBe(status)
  })

  test('are refused at the start when two clients share the user name', async () => {
    const clients = [derms, { ...dacs, credentials: [{ basic: { username: 'derms', password: 'another' } }] }]
    await expect(openIngress({ ingress: { clients } })).rejects.toThrow('is the user name of another client')
  })
})

describe('rights', () => {
  test('a client without the right to a flow is refused with 403, and nothing is recorded', async () => {
    await using ingress = await openIngress()
    const answer = await ingress.post('stage-status', stageStatus(), {
      headers: { authorization: basic('dacs', 'pw-dacs') },
    })
    expect(answer).toMatchObject({ status: 403, body: { code: 'not-allowed', status: 403 } })
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(await ingress.recorded()).toEqual([])
  })

  test('a client speaks for its own instances alone', async () => {
    await using ingress = await openIngress({ ingress: { clients: [{ ...derms, instances: ['SITE1', '7'] }] } })
    for (const drmsInstanceId of ['SITE2', 'site1', 8, undefined]) {
      const answer = await ingress.post('stage-status', stageStatus({ drmsInstanceId }))
      expect(answer).toMatchObject({ status: 403, body: { code: 'not-allowed' } })
      expect(JSON.stringify(answer.body)).not.toContain('SITE2')
    }
    expect(await ingress.recorded()).toEqual([])
    for (const drmsInstanceId of ['SITE1', 7])
      expect((await ingress.post('stage-status', stageStatus({ drmsInstanceId }))).status).toBe(200)
  })

  test('refusals of DACS are told in its own fault shape', async () => {
    await using ingress = await openIngress()
    for (const [authorization, status, code] of [
      [undefined, 401, 'unauthenticated'],
      [basic('derms', 'pw-derms'), 403, 'not-allowed'],
    ] as const) {
      const answer = await ingress.post('device-status-check', {}, { headers: { authorization } })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toBe('application/json')
      expect(answer.body).toMatchObject({
        'o:errorCode': String(status),
        'o:errorDetails': [{ instance: 'device-status-check', 'o:errorCode': code }],
      })
    }
  })
})

describe('a token', () => {
  test('that is right lets its client in, next to the password', async () => {
    await using ingress = await openWithTokens()
    for (const good of [claims(), claims({ exp: nowS() - 20 }), claims({ scope: undefined, scp: ['tieline'] })])
      expect((await postAck(ingress, `Bearer ${await sign(good)}`)).status).toBe(202)
    expect((await postAck(ingress, `bearer ${await sign(claims({ aud: ['x', 'tieline'] }))}`)).status).toBe(202)
    expect((await postAck(ingress, basic('derms', 'pw-derms'))).status).toBe(202)
  })

  test.each<[string, () => Promise<string>]>([
    ['expired', () => sign(claims({ exp: nowS() - 40 }))],
    ['without expiry', () => sign(claims({ exp: undefined }))],
    ['not yet valid', () => sign(claims({ nbf: nowS() + 60 }))],
    ['for another audience', () => sign(claims({ aud: 'other' }))],
    ['of another issuer', () => sign(claims({ iss: 'https://evil.example' }))],
    ['of another subject', () => sign(claims({ sub: 'somebody' }))],
    ['signed by another key', () => sign(claims(), { key: other.privateKey })],
    ['of an unknown key', () => sign(claims(), { kid: 'k2' })],
    ['without a signature', async () => new UnsecuredJWT(claims()).encode()],
    ['signed with the public key as a shared secret', async () => signWithPublicKey()],
    [
      'changed after signing',
      async () =>
        (await sign(claims())).replace(/\.[^.]+\./, `.${base64url.encode(JSON.stringify(claims({ sub: 'x' })))}.`),
    ],
    ['that is none', async () => 'abc.def'],
  ])('%s is refused with 401', async (_, make) => {
    await using ingress = await openWithTokens()
    const answer = await postAck(ingress, `Bearer ${await make()}`)
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(answer.headers.get('www-authenticate')).toBe(
      'Basic realm="tieline", charset="UTF-8", Bearer realm="tieline"',
    )
    expect(await ingress.recorded()).toEqual([])
  })

  test('without the scope is refused with 403', async () => {
    await using ingress = await openWithTokens()
    for (const scope of ['openid', 'tieline2', undefined]) {
      const answer = await postAck(ingress, `Bearer ${await sign(claims({ scope }))}`)
      expect(answer).toMatchObject({ status: 403, body: { code: 'not-allowed' } })
      expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope')
    }
    expect(await ingress.recorded()).toEqual([])
  })

  test('is checked with keys fetched from the issuer, which unknown key ids cannot make it fetch again and again', async () => {
    let fetches = 0
    let status = 503
    const keys = JSON.stringify(await keySet())
    const issuer = createServer((_, response) => {
      fetches++
      response.writeHead(status, { 'content-type': 'application/json' }).end(keys)
    }).listen(0, '127.0.0.1')
    await once(issuer, 'listening')
    const address = issuer.address()
    const jwksUrl = `http://127.0.0.1:${typeof address === 'object' && address?.port}/jwks`
    const clients = [{ ...derms, credentials: [{ jwt: { ...jwt, jwksUrl } }] }]
    await using ingress = await openIngress({ ingress: { clients } })

    const away = await postAck(ingress, `Bearer ${await sign(claims())}`)
    expect(away).toMatchObject({ status: 503, body: { code: 'unauthenticated' } })
    expect(away.headers.get('retry-after')).toBe('5')
    expect((await postAck(ingress, `Bearer ${await sign(claims({ iss: 'https://evil.example' }))}`)).status).toBe(401)
    expect(fetches).toBe(1)

    status = 200
    expect((await postAck(ingress, `Bearer ${await sign(claims())}`)).status).toBe(202)
    for (let i = 0; i < 3; i++)
      expect((await postAck(ingress, `Bearer ${await sign(claims(), { kid: `x${i}` })}`)).status).toBe(401)
    expect(fetches).toBe(2)
    issuer.close()
    issuer.closeAllConnections()
  })

  test('cannot be checked with a key set file that is none: the start is refused without a word of the file', async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'tieline-keys-'))
    const jwksFile = join(directory.path, 'jwks.json')
    await writeFile(jwksFile, 'hush')
    const clients = [{ ...derms, credentials: [{ jwt: { ...jwt, jwksFile } }] }]
    const refused = await openIngress({ ingress: { clients } }).catch((error: Error) => error.message)
    expect(refused).toContain('must name a JSON Web Key Set')
    expect(refused).not.toContain('hush')
  })
})

async function signWithPublicKey(): Promise<string> {
  const encode = (value: unknown) => base64url.encode(JSON.stringify(value))
  const signed = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(claims())}`
  return `${signed}.${createHmac('sha256', await exportSPKI(pair.publicKey))
    .update(signed)
    .digest('base64url')}`
}
