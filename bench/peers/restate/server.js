// A Restate server (one process, its log fsynced as it is by default) and the service whose handler calls the target in a durable
// step. PORT is where the server takes requests, TARGET what is called, DATA_DIR where it keeps its state.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http2'
import { fileURLToPath } from 'node:url'
import * as restate from '@restatedev/restate-sdk'

const { PORT, TARGET, DATA_DIR } = process.env

const forward = restate.service({
  name: 'Forward',
  handlers: {
    statusUpdate: (context, message) =>
      context.run('call', async () => {
        const response = await fetch(`${TARGET}/cross/service/programEvent/`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(message),
        })
        if (response.status !== 200) throw new Error(`Answered ${response.status}`)
        await response.text()
        return { messageId: message.messageId }
      }),
  },
})

const endpoint = createServer(restate.createEndpointHandler({ services: [forward] })).listen(0, '127.0.0.1')
await once(endpoint, 'listening')

const freePort = async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
const adminPort = await freePort()
const binary = fileURLToPath(new URL('node_modules/.bin/restate-server', import.meta.url))
const server = spawn(binary, ['--no-logo', '--base-dir', DATA_DIR], {
  env: {
    ...process.env,
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${PORT}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_LOG_FILTER: 'warn',
  },
  stdio: ['ignore', 'ignore', 'inherit'],
})
process.on('SIGTERM', async () => {
  server.kill('SIGTERM')
  if (server.exitCode === null) await once(server, 'exit')
  process.exit(0)
})

const register = () =>
  fetch(`http://127.0.0.1:${adminPort}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${endpoint.address().port}` }),
  }).then(
    ({ ok }) => ok,
    () => false,
  )
while (!(await register())) await new Promise((resolve) => setTimeout(resolve, 100))
