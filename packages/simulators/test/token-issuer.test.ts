import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startTokenIssuer } from '../src/start.ts'
import { call } from './call.ts'

const clients = [{ clientId: 'tieline', clientSecret: 'secret' }]
const idp = await startTokenIssuer({ issuer: 'https://idp.example', audience: 'tieline', clients })
const { simulator } = idp
const basic = `Basic ${Buffer.from('tieline:secret').toString('base64')}`
const keys = createRemoteJWKSet(new URL(`${idp.url}/jwks`))
const verify = (token: string) => jwtVerify(token, keys, { issuer: 'https://idp.example', audience: 'tieline' })

const token = async (form: Record<string, string>, headers: Record<string, string> = {}) => {
  const response = await fetch(`${idp.url}/token`, { method: 'POST', body: new URLSearchParams(form), headers })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

beforeEach(() => simulator.reset())
afterAll(() => idp[Symbol.asyncDispose]())

test('grants client credentials that its published keys verify', async () => {
  const inHeader = await token({ grant_type: 'client_credentials', scope: 'nms' }, { authorization: basic })
  const inForm = await token({ grant_type: 'client_credentials', client_id: 'tieline', client_secret: 'secret' })
  expect(inForm.status).toBe(200)
  expect(inHeader.body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'nms' })
  const { payload, protectedHeader } = await verify(inHeader.body.access_token ?? '')
  expect(protectedHeader.alg).toBe('RS256')
  expect(payload).toMatchObject({ sub: 'tieline', scope: 'nms' })
  expect(simulator.count('token')).toBe(2)
})

test('refuses an unknown client, another grant and another form', async () => {
  expect((await token({ grant_type: 'client_credentials', client_id: 'tieline', client_secret: 'no' })).status).toBe(
    401,
  )
  expect((await token({ grant_type: 'password' }, { authorization: basic })).status).toBe(400)
  expect((await call(`${idp.url}/token`, 'POST', { grant_type: 'client_credentials' })).status).toBe(415)
})

test('gives expired and misdirected tokens on demand, then good ones', async () => {
  simulator.nextToken({ lifetimeS: -60 })
  await call(`${idp.url}/control/next-token`, 'POST', { audience: 'another', times: 1 })
  const next = async () => {
    const { body } = await token({ grant_type: 'client_credentials' }, { authorization: basic })
    return body.access_token ?? ''
  }
  await expect(verify(await next())).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' })
  await expect(verify(await next())).rejects.toMatchObject({ claim: 'aud' })
  await expect(verify(await next())).resolves.toBeDefined()
})

test('issues single tokens over HTTP and fails on demand', async () => {
  const { body } = await call(`${idp.url}/control/issue`, 'POST', { subject: 'derms', scope: 'tieline' })
  expect((await verify(body.token)).payload).toMatchObject({ sub: 'derms', scope: 'tieline' })
  simulator.failNext({ operation: 'token', status: 503 })
  expect((await token({ grant_type: 'client_credentials' }, { authorization: basic })).status).toBe(503)
})
