import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startObjectStorage } from '@tieline/simulators/object-storage'
import { expect, it } from 'vitest'
import { openInstallation, planted } from './harness.ts'

const describing = (...paths: string[]) => ({
  openapi: '3.0.3',
  paths: Object.fromEntries(paths.map((path) => [path, { post: {} }])),
})
const openApi = describing('/enroll', '/status-check', '/event-reservation-ack', '/device-outcome-ack')

async function listening<S extends Server>(server: S) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** DACS and DERMS in one: health for the one, catalogue and description for the other, to who knows the password. */
const startFarSide = ({ health = 200, description = openApi as unknown, lacking = '', asked = [] as string[] } = {}) =>
  listening(
    createServer((request, response) => {
      response.setHeader('connection', 'close')
      const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
      if (request.headers.authorization !== `Basic ${btoa('oic:right')}`) return answer(401, { detail: planted })
      if (request.url === '/apis/common/system/healthCheck/') return answer(health, { detail: planted })
      if (request.url === '/v1/catalog') return answer(200, { services: [] })
      if (request.url === '/v1/openapi.json') return answer(200, description)
      if (request.url?.startsWith('/apis/') && request.url !== lacking) {
        asked.push(`${request.method} ${request.url}`)
        return answer(405, { detail: planted })
      }
      return answer(404, {})
    }),
  )

/** As much of SMTP as a login takes. */
const startMailServer = () =>
  listening(
    createTcpServer((socket) => {
      socket.write('220 mail.example ESMTP\r\n')
      socket.on('data', (command: Buffer) => {
        const verb = command.toString().slice(0, 4).toUpperCase()
        if (verb === 'EHLO') socket.write('250-mail.example\r\n250 AUTH PLAIN\r\n')
        else if (verb === 'AUTH') {
          const [, user, password] = Buffer.from(command.toString().split(' ')[2] ?? '', 'base64')
            .toString()
            .split('\0')
          socket.write(user === 'tieline' && password === 'right' ? '235 welcome\r\n' : `535 not ${planted}\r\n`)
        } else socket.end('221 bye\r\n')
      })
      socket.on('error', () => undefined)
    }),
  )

const installation = (far: { port: number }, mail: { port: number }, password = 'right') => {
  const auth = { basic: { username: 'oic', password } }
  return {
    connections: {
      DACS_MAIN: { kind: 'dacs', baseUrl: `http://127.0.0.1:${far.port}/apis`, auth },
      DERMS_SITE1: { kind: 'derms', baseUrl: `http://127.0.0.1:${far.port}/v1`, auth },
    },
    mail: { url: `smtp://tieline:${password}@127.0.0.1:${mail.port}` },
  }
}

it('says of each connection and of the mail server that it works', async () => {
  await using far = await startFarSide()
  await using mail = await startMailServer()
  await using site = await openInstallation(installation(far, mail))
  const { code, out, err } = await site.run('connections', 'test')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')).toEqual([
    'mail: the server answers, and takes the login if there is one.',
    expect.stringMatching(/^DACS_MAIN: healthy, and has each operation \(HTTP 200, \d+ ms\)\.$/),
    expect.stringMatching(/^DERMS_SITE1: answers and describes what Tieline calls \(\d+ ms\)\.$/),
    '',
  ])
})

it('says what is wrong with credentials, in a sentence each and without a word of the far side', async () => {
  await using far = await startFarSide()
  await using mail = await startMailServer()
  await using site = await openInstallation(installation(far, mail, 'wrong'))
  const { code, out, err } = await site.run('connections', 'test')
  expect(code).toBe(1)
  expect(out).toContain('DACS_MAIN: healthCheck answered 401; check user, password or client secret.\n')
  expect(out).toContain('DERMS_SITE1: catalog answered 401; check user, password or client secret.\n')
  expect(out).toContain('mail: The mail server could not take the mail (535); check mail.url')
  expect(err).toBe('3 of 3 connections have a fault.\n')
  expect(out + err).not.toMatch(new RegExp(`${planted}|wrong`))
})

it('says when DACS is degraded, and what DERMS does not offer', async () => {
  await using far = await startFarSide({ health: 203, description: describing('/enroll', '/device-outcome-ack') })
  await using mail = await startMailServer()
  await using site = await openInstallation(installation(far, mail))
  expect(await site.run('connections', 'test', 'DACS_MAIN')).toMatchObject({
    code: 1,
    out: 'DACS_MAIN: healthCheck answered 203; it is degraded, which acceptDegradedHealth takes for healthy.\n',
  })
  expect(await site.run('connections', 'test', 'DERMS_SITE1')).toMatchObject({
    code: 1,
    out: 'DERMS_SITE1: openapi.json lacks POST /status-check and POST /event-reservation-ack; check baseUrl, paths and the release.\n',
  })
})

it('asks DACS in a way that changes nothing whether each operation is where it should be', async () => {
  const asked: string[] = []
  const lacking = '/apis/cross/service/programEvent/lifecycle'
  await using far = await startFarSide({ lacking, asked })
  await using mail = await startMailServer()
  await using site = await openInstallation(installation(far, mail))
  expect(await site.run('connections', 'test', 'DACS_MAIN')).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /^DACS_MAIN: healthy, but has nothing at POST \/cross\/service\/programEvent\/lifecycle \(HTTP 404\); check baseUrl and paths\.\n$/,
    ),
  })
  expect(asked).toHaveLength(6)
  for (const request of asked) expect(request).toMatch(/^OPTIONS /)
  expect(asked).toContain('OPTIONS /apis/common/sync/syncRequest/')
})

it('looks for a bill, and says when the place of the bills cannot be read', async () => {
  await using far = await startFarSide()
  await using mail = await startMailServer()
  const path = await mkdtemp(join(tmpdir(), 'tieline-bills-'))
  const bills = { source: { kind: 'directory', path } }
  await using site = await openInstallation({ ...installation(far, mail), bills })
  const found = { code: 0, out: 'bills: the place of the bills can be read.\n' }
  expect(await site.run('connections', 'test', 'bills')).toMatchObject(found)
  await rm(path, { recursive: true })
  expect(await site.run('connections', 'test', 'bills')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^bills: /),
  })
})

it('writes into the bucket of payloads, and leaves nothing there', async () => {
  await using far = await startFarSide()
  await using mail = await startMailServer()
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const user = {
    tenancy: 'ocid1.tenancy.t',
    user: 'ocid1.user.u',
    fingerprint: '00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff',
  }
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  await using storage = await startObjectStorage({ buckets: ['payloads'], users: [{ ...user, publicKey: pem }] })
  const directory = await mkdtemp(join(tmpdir(), 'tieline-key-'))
  const privateKeyFile = join(directory, 'key.pem')
  await writeFile(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const { connections, ...others } = installation(far, mail)
  const BUCKET = { kind: 'oci-object-storage', endpoint: storage.url, ...user, privateKeyFile }
  const payloads = { kind: 'oci-object-storage', connection: 'BUCKET', bucket: 'payloads' }
  await using site = await openInstallation({ ...others, connections: { ...connections, BUCKET }, payloads })
  const { code, out, err } = await site.run('connections', 'test', 'payloads')
  expect({ code, out, err }).toEqual({ code: 0, out: 'payloads: can be written, read and removed.\n', err: '' })
  expect([...storage.simulator.bucket('payloads').objects.keys()]).toEqual([])
  expect(await site.run('connections', 'test', 'BUCKET')).toMatchObject({ out: 'BUCKET: see payloads.\n' })
  storage.simulator.failNext({ status: 403, times: 9 })
  expect(await site.run('connections', 'test', 'payloads')).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^payloads: BUCKET: put answered 403/),
  })
  await rm(directory, { recursive: true })
})

it('asks a DERMS for the operation of score files if a transfer ends there, whatever it calls the part in braces', async () => {
  await using far = await startFarSide()
  await using mail = await startMailServer()
  const known = installation(far, mail)
  const key = `SHA256:${'A'.repeat(43)}`
  const DACS_FILES = { kind: 'sftp', host: '127.0.0.1', username: 'tieline', password: 'p', hostKey: key }
  const transfer = { name: 'nightly', source: 'DACS_FILES', target: 'DERMS_SITE1' }
  const deviceScore = [{ ...transfer, schedule: '0 5 * * *', timezone: 'UTC' }]
  const sections = { ...known, connections: { ...known.connections, DACS_FILES }, deviceScore }
  await using site = await openInstallation(sections)
  expect(await site.run('connections', 'test', 'DERMS_SITE1')).toMatchObject({
    code: 1,
    out: 'DERMS_SITE1: openapi.json lacks POST /device-score/{fileName}; check baseUrl, paths and the release.\n',
  })
  await using complete = await startFarSide({
    description: describing(...Object.keys(openApi.paths), '/nms-drms/rest/v1/device-score/{file-name}'),
  })
  const again = installation(complete, mail)
  await using mended = await openInstallation({ ...sections, connections: { ...again.connections, DACS_FILES } })
  expect(await mended.run('connections', 'test', 'DERMS_SITE1')).toMatchObject({ code: 0 })
})

it('takes a page for no API description', async () => {
  await using far = await startFarSide({ description: '<html>' })
  await using mail = await startMailServer()
  await using site = await openInstallation(installation(far, mail))
  expect(await site.run('connections', 'test', 'DERMS_SITE1')).toMatchObject({
    code: 1,
    out: 'DERMS_SITE1: openapi.json is no API description.\n',
  })
})

it('says that nothing listens, and which connections there are', async () => {
  await using site = await openInstallation()
  expect(await site.run('connections', 'test', 'DACS_MAIN')).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      /^DACS_MAIN: healthCheck got no connection \(ECONNREFUSED\); check baseUrl, the network/,
    ),
  })
  expect(await site.run('connections', 'test', 'DACS_MAIM')).toMatchObject({
    code: 1,
    err: 'There is no connection DACS_MAIM; there are DACS_MAIN, DERMS_SITE1.\n',
  })
})
