import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { freePort } from '@tieline/runtime/redis-process'
import { basicAuthorization } from '@tieline/simulators/authenticator'
import { eventually } from '@tieline/testkit/eventually'
import { credentials, writeInstallation } from '@tieline/testkit/installation'
import { root } from '@tieline/tools/generate'
import { expect, it } from 'vitest'

/** All services of an installation whose far sides are away, started by the command for it. */
async function startCommand() {
  await using parts = new AsyncDisposableStack()
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), 'tieline-start-')))
  const nowhere = 'http://127.0.0.1:9'
  const configFile = join(directory.path, 'tieline.yaml')
  const farSides = { dacsUrl: nowhere, dermsUrl: nowhere, smtpUrl: 'smtp://127.0.0.1:9' }
  await writeFile(configFile, await writeInstallation('start', directory.path, farSides))
  const port = await freePort()
  const { REDIS_URL: _, ...env } = process.env
  const own = { TIELINE_CONFIG: configFile, DATA_DIR: directory.path, INGRESS_PORT: String(port), METRICS_PORT: '0' }
  const child = spawn(process.execPath, [join(root, 'tools/src/start.ts')], {
    env: { ...env, ...own },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return (await ended)[0] as number | null
  }
  parts.defer(async () => void (await end('SIGTERM')))
  const owned = parts.move()
  return {
    end,
    /** HTTP status of an acknowledgment; undefined when nobody listens. */
    post: (): Promise<number | undefined> =>
      fetch(`http://127.0.0.1:${port}/derms/sendEnrollAck`, {
        method: 'POST',
        headers: { authorization: basicAuthorization(credentials.derms), 'content-type': 'application/json' },
        body: JSON.stringify(examples['enrollment-sync-ack']),
      }).then(
        ({ status }) => status,
        () => undefined,
      ),
    redisPid: async () => Number(await readFile(join(directory.path, 'redis/redis.pid'), 'utf8')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

it('`start` brings its Redis back when it is killed, and messages are accepted again', async () => {
  await using command = await startCommand()
  await eventually(async () => (await command.post()) === 202)
  const pid = await command.redisPid()
  process.kill(pid, 'SIGKILL')
  await eventually(async () => (await command.post()) === 503)
  await eventually(async () => (await command.post()) === 202)
  expect(await command.redisPid()).not.toBe(pid)
  expect(await command.end('SIGTERM')).toBe(0)
})

it('`start` that is killed leaves no service behind', async () => {
  await using command = await startCommand()
  await eventually(async () => (await command.post()) === 202)
  await command.end('SIGKILL')
  await eventually(async () => (await command.post()) === undefined)
})
