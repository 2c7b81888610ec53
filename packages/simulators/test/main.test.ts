import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readSimulatorEnvironment } from '../src/environment.ts'
import { call } from './call.ts'
import { enrollment } from './samples.ts'

const anyPorts = {
  DACS_SIMULATOR_PORT: '0',
  DERMS_SIMULATOR_PORT: '0',
  TOKEN_ISSUER_PORT: '0',
  MAILBOX_CONTROL_PORT: '0',
  MAILBOX_PORT: '0',
}

test('starts them all, prints where they are, and stops with 0 when told', async () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...anyPorts },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const urls = JSON.parse(String(line))
  expect(Object.keys(urls)).toEqual(['dacs', 'derms', 'tokenIssuer', 'mailbox', 'smtp'])
  const url = `${urls.dacs}/rest/apis/cross/digitalAssets/programEnrollments/enroll`
  expect((await call(url, 'POST', enrollment)).status).toBe(401)
  expect((await call(`${urls.mailbox}/control/mails`, 'GET')).body).toEqual([])
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('names every variable at fault and no value', () => {
  const read = () => readSimulatorEnvironment({ DACS_SIMULATOR_PORT: 'eighty', INGRESS_URL: 'nowhere' })
  expect(read).toThrow(/DACS_SIMULATOR_PORT.*INGRESS_URL/)
  expect(read).not.toThrow(/eighty|nowhere/)
})
