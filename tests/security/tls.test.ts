import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startConsole } from '@tieline/console/service'
import { inboundFlowIds } from '@tieline/contracts/flows'
import { credentials } from '@tieline/testkit/installation'
import { startPipeline } from '@tieline/testkit/pipeline'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { makeCertificate } from '../../packages/runtime/test/certificate.ts'

const stack = new AsyncDisposableStack()
const { cert, key } = makeCertificate('tieline')
const urls: Record<string, string> = {}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-tls-'))
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const tls = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
  await writeFile(tls.certFile, cert)
  await writeFile(tls.keyFile, key)
  const client = { name: 'one', flows: inboundFlowIds, credentials: [{ basic: credentials.derms }] }
  const passwordHash = `scrypt:2:1:1:${'A'.repeat(24)}:${'A'.repeat(44)}`
  const sections = {
    ingress: { clients: [client], tls },
    console: { users: [{ name: 'ann', role: 'viewer', passwordHash }], tls },
  }
  const pipeline = stack.use(await startPipeline({ redisUrl: inject('redisUrl'), services: [], sections }))
  const console = stack.use(await startConsole(pipeline.settings))
  Object.assign(urls, { ingress: `${pipeline.url}/health/live`, console: `${console.url}/login` })
})
afterAll(() => stack.disposeAsync())

const visit = (url: string, options: object) =>
  new Promise<number | string | undefined>((resolve) => {
    get(url, { agent: false, ...options }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code} ${error.message}`))
  })

describe.each(['ingress', 'console'])('the %s with a certificate', (name) => {
  const url = () => urls[name] ?? ''

  test('is there over TLS 1.2 and later, and not in clear', async () => {
    expect(await visit(url(), { ca: cert })).toBe(200)
    expect(await visit(url(), { ca: cert, maxVersion: 'TLSv1.2' })).toBe(200)
    const old = { ca: cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    expect(await visit(url(), old)).toMatch(/alert protocol version/)
    await expect(fetch(url().replace('https:', 'http:'))).rejects.toThrow('fetch failed')
  })

  test('is who it says it is', async () => {
    expect(await visit(url(), {})).toMatch(/^DEPTH_ZERO_SELF_SIGNED_CERT/)
    expect(await visit(url(), { ca: cert, servername: 'elsewhere.example' })).toMatch(/^ERR_TLS_CERT_ALTNAME_INVALID/)
  })
})
