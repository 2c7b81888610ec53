import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { readSimulatorEnvironment } from '../src/environment.ts'
import { anyPorts } from './any-ports.ts'
import { call } from './call.ts'
import { enrollment } from './samples.ts'

test('starts them all, prints where they are, and stops with 0 when told, leaving nothing behind', async () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const temporary = await mkdtemp(join(tmpdir(), 'tieline-simulators-'))
  onTestFinished(() => rm(temporary, { recursive: true }))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...anyPorts, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const urls = JSON.parse(String(line))
  const localhost = (scheme: string, path = '') =>
    expect.stringMatching(`^${scheme}://127\\.0\\.0\\.1:[1-9]\\d*${path}$`)
  expect(urls).toEqual({
    dacs: localhost('http'),
    derms: localhost('http'),
    tokenIssuer: localhost('http'),
    mailbox: localhost('http'),
    smtp: localhost('smtp'),
    sftpControl: localhost('http', '/sftp'),
    objectStorageControl: localhost('http', '/object-storage'),
    sftp: {
      host: '127.0.0.1',
      port: expect.any(Number),
      username: 'tieline',
      password: 'tieline',
      hostKey: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
      directory: '/scores',
    },
    objectStorage: {
      endpoint: localhost('http'),
      tenancy: expect.stringMatching(/^ocid1\.tenancy\./),
      user: expect.stringMatching(/^ocid1\.user\./),
      fingerprint: expect.stringMatching(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/),
      privateKeyFile: expect.any(String),
      namespace: 'tieline',
      bucket: 'scores',
    },
  })
  const url = `${urls.dacs}/rest/apis/cross/digitalAssets/programEnrollments/enroll`
  expect((await call(url, 'POST', enrollment)).status).toBe(401)
  expect((await call(`${urls.mailbox}/control/mails`, 'GET')).body).toEqual([])
  for (const control of [urls.sftpControl, urls.objectStorageControl]) {
    expect((await call(`${control}/control/files`, 'GET')).body).toEqual([])
  }
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await readdir(temporary)).toEqual([])
})

test('names every variable at fault and no value', () => {
  const read = () => readSimulatorEnvironment({ DACS_SIMULATOR_PORT: 'eighty', INGRESS_URL: 'nowhere' })
  expect(read).toThrow(/DACS_SIMULATOR_PORT.*INGRESS_URL/)
  expect(read).not.toThrow(/eighty|nowhere/)
})
