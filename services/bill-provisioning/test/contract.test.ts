import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../../../packages/runtime/test/certificate.ts'
import { downloadPath, get, healthPath } from './client.ts'
import { billOf, mib, openService } from './harness.ts'
import { openDirectory } from './places.ts'
import { talk } from './strict-client.ts'

const { cert, key } = makeCertificate('bills')
const bills = { '123456789012': billOf(48_213), '0': billOf(5), 'A-b_c.9': billOf(3 * mib), full: billOf(5_000_000) }

let stack: AsyncDisposableStack
let place: Awaited<ReturnType<typeof openDirectory>>
const urls: Record<string, string> = {}
let service: Awaited<ReturnType<typeof openService>>

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bills-tls-'))
  stack.defer(() => rm(directory, { recursive: true }))
  const tls = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
  await writeFile(tls.certFile, cert)
  await writeFile(tls.keyFile, key)
  place = stack.use(await openDirectory())
  for (const [id, content] of Object.entries(bills)) await place.put(`${id}.pdf`, content)
  service = stack.use(await openService(place))
  urls.HTTP = service.url
  urls.HTTPS = stack.use(await openService(place, { bills: { tls } })).url
})
afterAll(() => stack[Symbol.asyncDispose]())

describe.each(['HTTP', 'HTTPS'])('the Bill Provisioning API over %s', (scheme) => {
  const ask = (path: string, options = {}) => get(urls[scheme] ?? '', path, { ca: cert, ...options })
  const raw = (...requests: string[]) => talk(urls[scheme] ?? '', requests, cert)

  test.for(Object.entries(bills))(
    'answers 200 with the whole document and its exact size: bill %s',
    async ([id, content]) => {
      const { status, headers, body, whole } = await ask(downloadPath(id), { headers: { accept: 'application/pdf' } })
      expect({ status, whole }).toEqual({ status: 200, whole: true })
      expect(headers).toMatchObject({ 'content-type': 'application/pdf', 'content-length': `${content.length}` })
      expect(headers['cache-control']).toBe('no-store')
      expect(body.equals(content)).toBe(true)
    },
  )

  test('answers the health check with 200, Content-Length 0 and nothing else', async () => {
    const { status, headers, body } = await ask(healthPath)
    expect({ status, length: headers['content-length'], body: body.length }).toEqual({
      status: 200,
      length: '0',
      body: 0,
    })
    expect(headers).not.toHaveProperty('transfer-encoding')
    expect(headers).not.toHaveProperty('content-type')
  })

  test('frames every answer to the byte, so that a connection serves request after request', async () => {
    const request = (path: string, more = '') => `GET ${path} HTTP/1.1\nHost: bills${more}`
    const answers = await raw(
      request(healthPath),
      request(downloadPath('nobodys')),
      request(downloadPath('123456789012')),
      request(downloadPath('0'), '\nConnection: close'),
    )
    expect(answers.map(({ statusLine }) => statusLine)).toEqual([
      'HTTP/1.1 200 OK',
      'HTTP/1.1 404 Not Found',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
    ])
    expect(answers[2]?.body.equals(bills['123456789012'])).toBe(true)
    expect(answers[3]?.body.equals(bills['0'])).toBe(true)
  })

  test.for<[string, object]>([
    ['any Accept', { accept: 'text/html' }],
    ['no PDF in Accept', { accept: 'application/json;q=1, application/pdf;q=0' }],
    ['a range', { range: 'bytes=0-9' }],
    ['conditions', { 'if-none-match': '*', 'if-modified-since': new Date().toUTCString() }],
    ['compression', { 'accept-encoding': 'gzip, br' }],
    ['credentials that nobody asked for', { authorization: 'Basic bm9ib2R5OnB3' }],
    ['headers of ours and theirs', { 'x-request-id': 'a b', 'x-forwarded-for': '10.0.0.1', cookie: 'a=b' }],
  ])('is not moved by %s', async ([, headers]) => {
    const { status, headers: got, body } = await ask(downloadPath('123456789012'), { headers })
    expect(status).toBe(200)
    expect(got).toMatchObject({ 'content-type': 'application/pdf', 'content-length': '48213' })
    expect(body.equals(bills['123456789012'])).toBe(true)
    expect((await ask(healthPath, { headers })).status).toBe(200)
  })

  test('is not moved by a query, a body, HTTP/1.0, or a target that names the host', async () => {
    const close = 'Connection: close'
    const asked = [
      `GET ${downloadPath('123456789012')}?as=attachment&id=../0 HTTP/1.1\nHost: bills\n${close}`,
      `GET ${downloadPath('123456789012')} HTTP/1.1\nHost: bills\nContent-Length: 5\n${close}\n\nhello`,
      `GET ${downloadPath('123456789012')} HTTP/1.0\nHost: bills`,
      `GET https://other.example${downloadPath('123456789012')} HTTP/1.1\nHost: bills\n${close}`,
      `GET ${downloadPath('%3123456789012')} HTTP/1.1\nHost: bills\n${close}`,
    ]
    for (const request of asked) {
      const [answer] = await raw(request)
      expect(answer?.statusLine).toBe('HTTP/1.1 200 OK')
      expect(answer?.body.equals(bills['123456789012'])).toBe(true)
    }
  })

  test('answers 404 without a body to a bill id that is not known', async () => {
    const { status, headers, body } = await ask(downloadPath('999999999999'))
    expect({ status, length: headers['content-length'], body: body.length }).toEqual({
      status: 404,
      length: '0',
      body: 0,
    })
  })

  test('answers 404 without a body to what cannot be a bill id, wherever it would lead', async () => {
    await writeFile(join(place.path, '..', 'stray.pdf'), '%PDF-stray')
    stack.defer(() => rm(join(place.path, '..', 'stray.pdf'), { force: true }))
    const ids = [
      ...['', '/', '/123456789012', '123456789012/', '123456789012;x=1', '123456789012%00', '123456789012.pdf%2F'],
      ...['.', '..', '../stray', '%2e%2e/stray', '..%2Fstray', '%2e%2e%2fstray', '%252e%252e%252fstray', '..%5cstray'],
      ...['a/b', 'a%2Fb', 'a%5cb', 'a..b', 'a%20b', 'a+b', 'a*', '~', '.hidden', '-rf', '%E2%82%AC', '%c3%28'],
      ...['%', '%zz', '%00', '%0a', '%2525', 'x'.repeat(65), 'x'.repeat(8_000)],
    ]
    for (const id of ids) {
      const { status, headers, body } = await ask(downloadPath(id))
      const answer = { id, status, length: headers['content-length'], body: body.toString() }
      expect(answer).toEqual({ id, status: 404, length: '0', body: '' })
    }
  })

  test('serves nothing else, and no path that is only like its own', async () => {
    const paths = [
      ...['/', '/metrics', '/health/ready', '/dss', '/dss/bill/download', '/dss/bill/healthcheck/'],
      ...['/DSS/bill/download/0', '/dss/bill/Healthcheck', '/dss/bill/%64ownload/0', '/dss/bill/x/../download/0'],
      ...['//dss/bill/download/0', '/dss/bill//download/0'],
    ]
    for (const path of paths) {
      const { status, body } = await ask(path)
      expect({ path, status, body: body.length }).toEqual({ path, status: 404, body: 0 })
    }
  })

  test.for(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('offers GET, not %s', async (method) => {
    for (const path of [downloadPath('123456789012'), healthPath]) {
      const { status, headers, body } = await ask(path, { method })
      expect({ status, allow: headers.allow, body: body.length }).toEqual({ status: 405, allow: 'GET', body: 0 })
    }
  })

  test('answers 500 without a body to a bill that is no PDF, empty, or larger than 5 MB', async () => {
    await place.put('word.pdf', Buffer.from('PK\u0003\u0004 a document of another kind'))
    await place.put('late.pdf', Buffer.from('\n%PDF-1.7'))
    await place.put('short.pdf', Buffer.from('%PDF'))
    await place.put('empty.pdf', Buffer.alloc(0))
    await place.put('large.pdf', billOf(5_000_001))
    for (const id of ['word', 'late', 'short', 'empty', 'large']) {
      const { status, headers, body } = await ask(downloadPath(id))
      const answer = { id, status, length: headers['content-length'], body: body.length }
      expect(answer).toEqual({ id, status: 500, length: '0', body: 0 })
      expect(headers['cache-control']).toBe('no-store')
    }
  })
})
