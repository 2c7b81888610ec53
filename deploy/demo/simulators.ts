import { once } from 'node:events'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSimulatorEnvironment } from '../../packages/simulators/src/environment.ts'
import { startSimulators } from '../../packages/simulators/src/simulators.ts'

// The simulators of the demo in containers. They make new keys at each start. What the installation file must know of them goes
// to a volume that all containers share; `ready` comes last, and nothing of an earlier start is there before.

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

const directory = join(process.env.DATA_DIR || './data', 'simulators')
await rm(directory, { recursive: true, force: true })
await mkdir(directory, { recursive: true })

await using simulators = await startSimulators(readSimulatorEnvironment(process.env))
const { sftp, objectStorage } = simulators.urls
await writeFile(join(directory, 'sftp-host-key'), sftp.hostKey)
await writeFile(join(directory, 'api-key-fingerprint'), objectStorage.fingerprint)
await copyFile(objectStorage.privateKeyFile, join(directory, 'api-key.pem'))
await writeFile(join(directory, 'ready'), '')
process.stdout.write(`${JSON.stringify(simulators.urls)}\n`)
if (!stop.signal.aborted) await once(stop.signal, 'abort')
