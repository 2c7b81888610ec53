import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from '../../../packages/runtime/test/certificate.ts'
import { startBillProvisioning } from '../src/service.ts'
import { basic, begin, downloadPath, get, healthPath, readAnswer } from './client.ts'
import { billOf, mib, openService, settingsFor } from './harness.ts'
import { openDirectory, places, remotePlaces } from './places.ts'

const credentials = { username: 'dss', password: 'pässword: with a colon' }

test.each([
  [0o755, true],
  [0o750, false],
])('a directory of bills with rights %o is warned of: %s', async (mode, warned) => {
  const directory = await mkdtemp(join(tmpdir(), 'tieline-bills-open-'))
  await chmod(directory, mode)
  await using service = await openService({ source: { kind: 'directory', path: directory }, connections: {} })
  expect(service.logged.join().includes('Every user of this machine can get at the bills')).toBe(warned)
  await rm(directory, { recursive: true })
})

describe('with credentials in the installation file', () => {
  test('a bill is for those who present any of several', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', billOf(1_000))
    const basics = [credentials, { username: 'dss', password: 'new' }, { username: 'probe', password: 'p' }]
    await using service = await openService(place, { bills: { basic: basics } })
    const ask = async (username: string, password: string) =>
      (await get(service.url, downloadPath('1'), { headers: { authorization: basic(username, password) } })).status
    for (const { username, password } of basics) expect(await ask(username, password)).toBe(200)
    expect(await ask('probe', 'new')).toBe(401)
    expect(await ask('dss', 'old')).toBe(401)
  })

  test('a bill is for those who present them, and the health check for everybody', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', billOf(1_000))
    await using service = await openService(place, { bills: { basic: credentials } })
    const right = basic(credentials.username, credentials.password)
    const ask = (authorization: string | undefined, path = downloadPath('1')) =>
      get(service.url, path, { headers: authorization === undefined ? {} : { authorization } })

    for (const authorization of [right, right.replace('Basic', 'bASIC'), `${right} `])
      expect((await ask(authorization)).status).toBe(200)
    const wrong = [
      undefined,
      '',
      'Basic',
      'Basic !',
      right.slice(0, -2),
      right.replace('Basic', 'Bearer'),
      `${right} x`,
      basic('dss', ''),
      basic('dss', 'another'),
      basic('DSS', credentials.password),
      basic('', credentials.password),
    ]
    for (const authorization of wrong) {
      const { status, headers, body } = await ask(authorization)
      expect({ authorization, status, body: body.length }).toEqual({ authorization, status: 401, body: 0 })
      expect(headers).toMatchObject({
        'www-authenticate': expect.stringMatching(/^Basic realm=/),
        'content-length': '0',
      })
      // Neither whether there is such a bill is told.
      expect((await ask(authorization, downloadPath('nobodys'))).status).toBe(401)
      expect((await ask(authorization, downloadPath('..%2F1'))).status).toBe(401)
      expect((await ask(authorization, healthPath)).status).toBe(200)
    }
    expect(service.logged.join()).not.toContain('pässword')
  })
})

describe('the listener', () => {
  test('is for this machine alone, with a warning, unless TLS is ended here or before', async () => {
    await using place = await openDirectory()
    await using service = await openService(place)
    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:/)
    expect(service.logged.join()).toContain('only this machine is listened to')
    await using behindProxy = await openService(place, { bills: { behindProxy: true } })
    expect(behindProxy.url).toMatch(/^http:\/\/localhost:/)
    expect(behindProxy.logged.join()).not.toContain('only this machine is listened to')
  })

  test('takes up a new certificate without a restart', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', billOf(1_000))
    const directory = await mkdtemp(join(tmpdir(), 'tieline-bills-tls-'))
    const tls = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') }
    const write = async ({ cert, key }: { cert: string; key: string }) => {
      for (const [file, text] of [
        [tls.certFile, cert],
        [tls.keyFile, key],
      ] as const) {
        await writeFile(`${file}.new`, text)
        await rename(`${file}.new`, file)
      }
    }
    const [first, second] = [makeCertificate('first'), makeCertificate('second')]
    await write(first)
    await using service = await openService(place, { bills: { tls }, tuning: { tlsReloadMs: 10 } })
    const statusFor = ({ cert }: { cert: string }) =>
      get(service.url, downloadPath('1'), { ca: cert, agent: false }).then(
        ({ status }) => status,
        () => 'refused',
      )
    expect(await statusFor(first)).toBe(200)
    await write(second)
    await eventually(async () => (await statusFor(second)) === 200)
    expect(await statusFor(first)).toBe('refused')
    await rm(directory, { recursive: true })
  })
})

describe('the start', () => {
  test('says what is missing or cannot work', async () => {
    await using place = await openDirectory()
    const start = (bills: object) => openService(place, { bills })
    await expect(start({ namePattern: '../{bill_id}.pdf' })).rejects.toThrow('bills.namePattern: makes a path that')
    await expect(start({ tls: { certFile: '/nowhere/crt', keyFile: '/nowhere/key' } })).rejects.toThrow(
      'cannot be used',
    )
    const { environment, installation } = settingsFor(place)
    const withoutBills = { environment, installation: { ...installation, bills: undefined } }
    await expect(startBillProvisioning(withoutBills)).rejects.toThrow('bills: is required')
  })
})

describe.each(Object.entries(places))('with %s', (_, open) => {
  test('each request is one line in the log and counted, and neither tells which bill it was', async () => {
    await using place = await open()
    const bill = billOf(200_000)
    await place.put('SECRET1.pdf', bill)
    await place.put('SECRET2.pdf', 'no PDF')
    await place.put('SECRET3.pdf', billOf(400_000))
    await using service = await openService(place, { bills: { maxBytes: 300_000 } })
    const asked: [string, number][] = [
      [downloadPath('SECRET1'), 200],
      [downloadPath('SECRET2'), 500],
      [downloadPath('SECRET3'), 500],
      [downloadPath('SECRET4'), 404],
      [downloadPath('SECRET5%2F'), 404],
      [downloadPath('SECRET1/'), 404],
      [`${downloadPath('SECRET1')}?bill=SECRET1`, 200],
      [healthPath, 200],
    ]
    const ids: unknown[] = []
    for (const [path, status] of asked) {
      const answer = await get(service.url, path, { headers: { 'x-request-id': 'SECRET1', referer: '/SECRET1' } })
      expect(answer.status).toBe(status)
      ids.push(answer.headers['x-request-id'])
    }
    await eventually(() => service.logged.filter((line) => line.includes('requestId')).length === asked.length)
    const lines = service.logged.map((line) => JSON.parse(line)).filter(({ requestId }) => requestId !== undefined)
    expect(lines.map(({ requestId }) => requestId)).toEqual(ids)
    expect(lines).toMatchObject([
      {
        level: 'info',
        operation: 'download',
        status: 200,
        bytes: 200_000,
        firstByteMs: expect.any(Number),
        ms: expect.any(Number),
        msg: 'download 200',
      },
      { level: 'error', status: 500, bytes: 0, code: 'bill-not-pdf' },
      {
        level: 'error',
        status: 500,
        bytes: 0,
        code: 'bill-too-large',
        err: { message: expect.stringContaining('400000') },
      },
      { level: 'info', status: 404, bytes: 0 },
      { level: 'info', status: 404 },
      { level: 'info', operation: 'other', status: 404 },
      { level: 'info', status: 200, bytes: 200_000 },
      { level: 'debug', operation: 'healthcheck', status: 200 },
    ])

    const metrics = await service.metrics()
    expect(metrics).toContain('tieline_bills_requests_total{operation="download",status="200"} 2')
    expect(metrics).toContain('tieline_bills_requests_total{operation="download",status="500"} 2')
    expect(metrics).toContain('tieline_bills_requests_total{operation="other",status="404"} 1')
    expect(metrics).toContain('tieline_bills_failures_total{code="bill-too-large"} 1')
    expect(metrics).toContain('tieline_bills_failures_total{code="bill-not-pdf"} 1')
    expect(metrics).toContain('tieline_bills_bytes_total 400000')
    expect(metrics).toContain('tieline_bills_first_byte_seconds_count 2')
    expect(metrics).toContain('tieline_bills_download_seconds_count 6')
    expect(metrics).toContain('tieline_bills_in_flight 0')
    expect(service.logged.join() + metrics).not.toContain('SECRET')
  })
})

describe.each(Object.entries(remotePlaces))('with %s that fails', (_, open) => {
  test('the log tells why, and not of which bill', async () => {
    const place = await open()
    await place.put('SECRET1.pdf', billOf(16 * mib))
    await using service = await openService(place, { bills: { maxBytes: 100 * mib } })
    const answer = await begin(service.url, downloadPath('SECRET1'))
    await place[Symbol.asyncDispose]()
    expect((await readAnswer(answer)).whole).toBe(false)
    expect((await get(service.url, downloadPath('SECRET1'))).status).toBe(500)
    await eventually(() => service.downloads().length === 2)
    expect(service.downloads()).toMatchObject([
      { level: 'warn', status: 200, code: 'target-reset' },
      { level: 'warn', status: 500, code: expect.stringMatching(/^target-/) },
    ])
    expect(service.logged.join()).not.toContain('SECRET')
  })
})
