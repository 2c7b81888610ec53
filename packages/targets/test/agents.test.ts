import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import type { Logger } from '@tieline/runtime/logger'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAuthority } from './certificates.ts'
import { closedPort, json, startFarSide, startRawServer } from './far-side.ts'
import { startProxy } from './proxy.ts'
import { createTestTarget, failureOf } from './target.ts'

const authority = createAuthority('Private CA')
const server = authority.issue('server')
let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-tls-'))
  const client = authority.issue('client')
  const files = {
    'ca.pem': authority.cert,
    'client.pem': client.cert,
    'client.key': client.key,
  }
  await Promise.all(Object.entries(files).map(([name, pem]) => writeFile(file(name), pem)))
})
afterAll(() => rm(folder, { recursive: true }))

describe('TLS', () => {
  it('trusts the private authority of the connection', async () => {
    await using far = await startFarSide(json(200, {}), server)
    using target = await createTestTarget({ tls: { caFile: file('ca.pem') } })
    expect(await target.post(far.url)).toMatchObject({ status: 200 })
    expect(await target.post(`https://localhost:${far.port}`)).toMatchObject({ status: 200 })
  })

  it('goes on trusting the public authorities beside the private one', async () => {
    const publicAuthority = createAuthority('Public CA')
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, publicAuthority.cert])
    try {
      await using far = await startFarSide(json(200, {}), publicAuthority.issue('server'))
      using target = await createTestTarget({ tls: { caFile: file('ca.pem') } })
      expect(await target.post(far.url)).toMatchObject({ status: 200 })
    } finally {
      setDefaultCACertificates(before)
    }
  })

  it('sends nothing to a server whose certificate is not trusted', async () => {
    await using far = await startFarSide(json(200, {}), server)
    using target = await createTestTarget()
    const error = await failureOf(target.post(far.url))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(error.message).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(far.received).toHaveLength(0)
  })

  it('sends nothing to a server whose certificate is for another name', async () => {
    await using far = await startFarSide(json(200, {}), server)
    await using proxy = await startProxy()
    using target = await createTestTarget({ tls: { caFile: file('ca.pem') }, proxy: proxy.url })
    const error = await failureOf(target.post(`https://dacs.example:${far.port}`))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(far.received).toHaveLength(0)
  })

  it('verifies certificates whatever the environment says', async () => {
    await using far = await startFarSide(json(200, {}), server)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      using target = await createTestTarget()
      expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-unreachable' })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })

  it('shows its certificate to a server that asks for one', async () => {
    await using far = await startFarSide(json(200, {}), { ...server, ca: authority.cert, requestCert: true })
    const tls = { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') }
    using target = await createTestTarget({ tls })
    expect(await target.post(far.url)).toMatchObject({ status: 200 })
  })

  it('knows that nothing was applied when the server insists on a certificate that is not configured', async () => {
    await using far = await startFarSide(json(200, {}), { ...server, ca: authority.cert, requestCert: true })
    using target = await createTestTarget({ tls: { caFile: file('ca.pem') } })
    const error = await failureOf(target.post(far.url))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(error.message).toContain('ALERT_CERTIFICATE_REQUIRED')
    expect(far.received).toHaveLength(0)
  })

  it('knows that nothing was applied when the connection breaks before TLS stands', async () => {
    await using raw = await startRawServer((socket) => socket.on('data', () => socket.resetAndDestroy()))
    using target = await createTestTarget()
    const error = await failureOf(target.post(`https://127.0.0.1:${raw.port}`))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  })

  it('knows that nothing was applied when TLS does not stand in time', async () => {
    await using raw = await startRawServer(() => undefined)
    using target = await createTestTarget({ timeoutMs: 100 })
    const error = await failureOf(target.post(`https://127.0.0.1:${raw.port}`))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(error.message).toBe('FAR: enroll got no connection (timeout)')
  })

  it('calls the outcome unknown when the connection breaks after the request', async () => {
    await using far = await startFarSide((_request, _response, socket) => socket.destroy(), server)
    using target = await createTestTarget({ tls: { caFile: file('ca.pem') } })
    expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
  })
})

describe('files of certificates that change', () => {
  const quick = { tlsReloadMs: 20 }
  const write = (pair: { cert: string; key: string }) =>
    Promise.all([writeFile(file('own.pem'), pair.cert), writeFile(file('own.key'), pair.key)])
  const tls = () => ({ caFile: file('own-ca.pem'), certFile: file('own.pem'), keyFile: file('own.key') })
  const log = () => {
    const lines: string[] = []
    const keep = (_about: unknown, message?: string) => void lines.push(message ?? '')
    return { lines, logger: { info: keep, warn: keep } as Pick<Logger, 'info' | 'warn'> }
  }
  const shown = (socket: Socket) => String((socket as TLSSocket).getPeerCertificate().subject.CN)

  it('are used for new calls, also where the socket was kept, and no call in flight is cut', async () => {
    const names: string[] = []
    const held = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const clients = { ...server, ca: authority.cert, requestCert: true }
    await using far = await startFarSide(async (request, response, socket) => {
      names.push(shown(socket))
      if (request.path === '/slow') {
        arrived.resolve()
        await held.promise
      }
      response.end('{}')
    }, clients)
    await writeFile(file('own-ca.pem'), authority.cert)
    await write(authority.issue('first'))
    const { lines, logger } = log()
    using target = await createTestTarget({ ...quick, tls: tls(), logger })
    await target.post(far.url)
    const slow = target.post(`${far.url}/slow`)
    await arrived.promise
    await write(authority.issue('second'))
    await vi.waitFor(() => expect(lines).toContain('Loaded a new TLS certificate'))
    await target.post(far.url)
    held.resolve()
    expect(await slow).toMatchObject({ status: 200 })
    await target.post(far.url)
    expect(names).toEqual(['first', 'first', 'second', 'second'])
  })

  it('that cannot be used leave the former ones in use, and are told once', async () => {
    await using far = await startFarSide(json(200, {}), { ...server, ca: authority.cert, requestCert: true })
    await writeFile(file('own-ca.pem'), authority.cert)
    await write(authority.issue('first'))
    const { lines, logger } = log()
    using target = await createTestTarget({ ...quick, tls: tls(), logger })
    await writeFile(file('own.key'), authority.issue('another').key)
    await vi.waitFor(() => expect(lines.at(-1)).toMatch(/cannot be used: .*MISMATCH.*former ones stay in use/))
    await writeFile(file('own-ca.pem'), 'half of a fi')
    await vi.waitFor(() => expect(lines.at(-1)).toMatch(/cannot be used: ERR_OSSL_PEM_NO_START_LINE/))
    expect(lines).toHaveLength(2)
    expect(await target.post(far.url)).toMatchObject({ status: 200 })
  })

  it('bring the trust of a new authority', async () => {
    const another = createAuthority('Another CA')
    await using far = await startFarSide(json(200, {}), another.issue('server'))
    await writeFile(file('own-ca.pem'), authority.cert)
    const { lines, logger } = log()
    using target = await createTestTarget({ ...quick, tls: { caFile: file('own-ca.pem') }, logger })
    expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-unreachable' })
    await writeFile(file('own-ca.pem'), authority.cert + another.cert)
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    expect(await target.post(far.url)).toMatchObject({ status: 200 })
  })
})

describe('a proxy', () => {
  it.each([
    ['http', undefined],
    ['https', server],
  ])('carries %s calls through a tunnel, with its own credentials', async (_scheme, tls) => {
    await using far = await startFarSide(json(200, {}), tls)
    await using proxy = await startProxy()
    using target = await createTestTarget({ proxy: proxy.url, tls: { caFile: file('ca.pem') } })
    await target.post(far.url)
    await target.post(far.url)
    expect(proxy.tunnels).toEqual([
      { target: `127.0.0.1:${far.port}`, authorization: `Basic ${Buffer.from('user:pass!').toString('base64')}` },
    ])
    expect(far.received).toHaveLength(2)
    expect(far.received[0]?.headers['proxy-authorization']).toBeUndefined()
  })

  it('that refuses the tunnel means that nothing was applied', async () => {
    await using proxy = await startProxy(407)
    using target = await createTestTarget({ proxy: proxy.url })
    for (const scheme of ['http', 'https']) {
      const error = await failureOf(target.post(`${scheme}://127.0.0.1:1/`))
      expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
      expect(error.message).toBe('FAR: enroll got no connection (proxy answered 407)')
      expect(error.status).toBeUndefined()
    }
  })

  it('that is away means that nothing was applied', async () => {
    using target = await createTestTarget({ proxy: `http://user:secret@127.0.0.1:${await closedPort()}` })
    const error = await failureOf(target.post('http://dacs.example/'))
    expect(error).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
    expect(error.message).not.toContain('secret')
  })

  it('that loses the tunnel after the request leaves the outcome unknown', async () => {
    await using far = await startFarSide((_request, _response, socket) => socket.destroy())
    await using proxy = await startProxy()
    using target = await createTestTarget({ proxy: proxy.url })
    expect(await failureOf(target.post(far.url))).toMatchObject({ code: 'target-reset', outcome: 'unknown' })
  })
})
