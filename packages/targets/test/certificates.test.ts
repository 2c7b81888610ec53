import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { parseInstallation } from '@tieline/runtime/installation'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { certificateSources } from '../src/certificates.ts'
import { createAuthority } from './certificates.ts'
import { closedPort, json, startFarSide } from './far-side.ts'
import { startProxy } from './proxy.ts'

const authority = createAuthority('Private CA')
const dayMs = 86_400_000
/** Certificates tell whole seconds. */
const inDays = (days: number) => Math.floor(Date.now() / 1_000) * 1_000 + days * dayMs
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-certificates-'))
  await writeFile(join(folder, 'ca.pem'), authority.cert)
})
afterAll(() => rm(folder, { recursive: true }))

const look = (sections: string, ingress = '') =>
  Promise.all(
    certificateSources(
      parseInstallation(
        `
ingress: { clients: [{ name: derms, flows: [stage-status], credentials: [{ basic: { username: d, password: p } }] }] ${ingress} }
${sections}`,
        {},
        folder,
      ),
    ).map((source) => source.look()),
  )

it('reads when files of ours end: of a chain the first', async () => {
  const [soon, late] = [inDays(3), inDays(300)]
  const [first, second] = [authority.issue('first', undefined, late), authority.issue('second', undefined, soon)]
  await writeFile(join(folder, 'chain.pem'), first.cert + second.cert)
  await writeFile(join(folder, 'chain.key'), first.key)
  await writeFile(join(folder, 'none.pem'), 'no certificate')
  const found = await look(
    `
connections:
  A: { kind: dacs, baseUrl: "http://127.0.0.1:1/", auth: none, tls: { certFile: ./chain.pem, keyFile: ./chain.key } }
  B: { kind: derms, baseUrl: "http://127.0.0.1:1/", auth: none }
console: { tls: { certFile: ./none.pem, keyFile: ./chain.key } }
bills: { source: { kind: directory, path: . }, tls: { certFile: ./gone.pem, keyFile: ./chain.key } }`,
    ', tls: { certFile: ./chain.pem, keyFile: ./chain.key }',
  )
  expect(found).toEqual([
    expect.objectContaining({ kind: 'listener', name: 'ingress', expiresAt: soon }),
    { kind: 'listener', name: 'console', where: join(folder, 'none.pem'), unknown: 'not PEM' },
    { kind: 'listener', name: 'bills', where: join(folder, 'gone.pem'), unknown: 'ENOENT' },
    expect.objectContaining({ kind: 'client', name: 'A', where: join(folder, 'chain.pem'), expiresAt: soon }),
  ])
})

it('sees when that of a target ends, and of its token endpoint, also through a proxy; nothing is asked of them', async () => {
  const [soon, late] = [inDays(3), inDays(300)]
  const far = await startFarSide(json(200), authority.issue('far', undefined, soon))
  const tokens = await startFarSide(json(200), authority.issue('tokens', undefined, late))
  await using proxy = await startProxy()
  await using stack = new AsyncDisposableStack()
  stack.use(far)
  stack.use(tokens)
  const oauth2 = `{ oauth2: { tokenUrl: "${tokens.url}/token", clientId: c, clientSecret: s } }`
  const found = await look(`
connections:
  A: { kind: dacs, baseUrl: "${far.url}/apis", auth: ${oauth2}, tls: { caFile: ./ca.pem } }
  B: { kind: derms, baseUrl: "${far.url}", auth: none, tls: { caFile: ./ca.pem }, proxy: "${proxy.url}" }`)
  expect(found.map((one) => ('unknown' in one ? one : [one.kind, one.name, one.where, one.expiresAt]))).toEqual([
    ['target', 'A', `127.0.0.1:${far.port}`, soon],
    ['target', 'A', `127.0.0.1:${tokens.port}`, late],
    ['target', 'B', `127.0.0.1:${far.port}`, soon],
  ])
  expect(proxy.tunnels).toHaveLength(1)
  expect([...far.received, ...tokens.received]).toEqual([])
})

it('looks at a mail server that begins with TLS', async () => {
  const soon = inDays(3)
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority.cert])
  try {
    await using far = await startFarSide(json(200), authority.issue('mail', undefined, soon))
    const found = await look(`connections: {}\nmail: { url: "smtps://u:p@127.0.0.1:${far.port}" }`)
    expect(found).toMatchObject([{ kind: 'target', name: 'mail', where: `127.0.0.1:${far.port}`, expiresAt: soon }])
  } finally {
    setDefaultCACertificates(before)
  }
})

it('says why it cannot see that of a target', async () => {
  await using expired = await startFarSide(json(200), authority.issue('far', undefined, inDays(-0.5)))
  await using strange = await startFarSide(json(200), createAuthority('Another CA').issue('far'))
  const found = await look(`
connections:
  A: { kind: dacs, baseUrl: "${expired.url}", auth: none, tls: { caFile: ./ca.pem } }
  B: { kind: derms, baseUrl: "${strange.url}", auth: none, tls: { caFile: ./ca.pem } }
  C: { kind: derms, baseUrl: "https://127.0.0.1:${await closedPort()}", auth: none }`)
  expect(found.map((one) => 'unknown' in one && one.unknown)).toEqual([
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ECONNREFUSED',
  ])
})
