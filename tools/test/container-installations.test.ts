import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { readFirstTables } from '@tieline/lookups/first-tables'
import { lookupNames } from '@tieline/lookups/lookup-name'
import { type Installation, parseInstallation } from '@tieline/runtime/installation'
import { hashPassword, verifyPassword } from '@tieline/runtime/password-hash'
import { readSimulatorEnvironment } from '@tieline/simulators/environment'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { root } from '../src/generate.ts'
import { compose } from './container-files.ts'

const readText = (path: string) => readFileSync(join(root, path), 'utf8')
const readEnvFile = (path: string) => parseEnv(readText(path)) as Record<string, string>

describe('the installation file of deploy/installation', () => {
  it('needs no variable that .env.example does not list', async () => {
    const listed = readEnvFile('deploy/.env.example')
    const filled = Object.fromEntries(Object.entries(listed).map(([name, value]) => [name, value || 'secret']))
    const env = { ...filled, OPS_PASSWORD_HASH: await hashPassword('a password') }
    const installation = parseInstallation(
      readText('deploy/installation/tieline.yaml'),
      env,
      join(root, 'deploy/installation'),
    )
    expect(listenersOnLoopback(installation)).toEqual([])
    expect(installation.bills).toBeUndefined()
  })
})

describe('the demo', () => {
  const env = readEnvFile('deploy/demo/demo.env')
  const folder = join(root, 'deploy/demo')

  it('has an installation file that fits what its simulators write', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tieline-containers-'))
    await using simulators = await startSimulators(dataDir)
    const text = readText('deploy/demo/tieline.yaml').replaceAll('/data/', `${dataDir}/`)
    const installation = parseInstallation(text, env, folder)
    expect(listenersOnLoopback(installation)).toEqual([])
    const { DACS_FILES: sftp, DACS_BUCKET: bucket } = installation.connections
    expect(sftp).toMatchObject({ hostKey: simulators.urls.sftp.hostKey })
    expect(bucket).toMatchObject({ fingerprint: simulators.urls.objectStorage.fingerprint })
    expect(bucket?.kind === 'oci-object-storage' && existsSync(bucket.privateKeyFile ?? '')).toBe(true)
    expect(await simulators.end()).toBe(0)
    await rm(dataDir, { recursive: true })
  })

  it('calls its simulators at the ports where they are', () => {
    const usual: readonly unknown[] = Object.values(readSimulatorEnvironment({}))
    const called = [...readText('deploy/demo/tieline.yaml').matchAll(/simulators:(\d+)|port: (\d+)/g)]
    const published = compose.services.simulators?.ports.map((port) => Number(port.split(':').at(-1))) ?? []
    const ports = [...called.map(([, byUrl, alone]) => Number(byUrl ?? alone)), ...published]
    expect(ports.length).toBeGreaterThan(8)
    expect(ports.filter((port) => !usual.includes(port))).toEqual([])
  })

  it('begins with lookups that are accepted', async () => {
    const tables = await readFirstTables(lookupNames, join(folder, 'lookups'), undefined)
    const own = tables.filter(({ why }) => why.endsWith('.csv')).map(({ lookup }) => lookup)
    expect(own.sort()).toEqual(['AssetSpec', 'ConfigProps', 'Email_ID'])
  })

  it('lets the operator in with the password that its settings name', async () => {
    expect(await verifyPassword('tieline-demo', env.OPERATOR_PASSWORD_HASH ?? '')).toBe(true)
  })

  it('keeps its volumes apart from those of an installation', () => {
    expect(env.COMPOSE_PROJECT_NAME).not.toBe(readEnvFile('deploy/.env.example').COMPOSE_PROJECT_NAME)
  })
})

/** In a container, nobody could reach these. */
const listenersOnLoopback = ({ ingress, console, bills }: Installation): string[] =>
  Object.entries({ ingress, console, bills })
    .filter(([, section]) => section !== undefined && !section.behindProxy && section.tls === undefined)
    .map(([name]) => name)

/** Runs what the container of the simulators runs, on free ports, until it says that it is ready. */
async function startSimulators(dataDir: string) {
  const ports = Object.keys(readSimulatorEnvironment({})).filter((name) => name.endsWith('_PORT'))
  const child = spawn(process.execPath, [join(root, 'deploy/demo/simulators.ts')], {
    env: { DATA_DIR: dataDir, ...Object.fromEntries(ports.map((name) => [name, '0'])) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await eventually(() => existsSync(join(dataDir, 'simulators/ready')) && output.endsWith('\n'))
  return {
    urls: JSON.parse(output) as { sftp: { hostKey: string }; objectStorage: { fingerprint: string } },
    async end(): Promise<unknown> {
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
