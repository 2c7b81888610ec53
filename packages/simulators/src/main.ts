import { once } from 'node:events'
import { readSimulatorEnvironment } from './environment.ts'
import { startSimulators } from './simulators.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

await using simulators = await startSimulators(readSimulatorEnvironment(process.env))
process.stdout.write(`${JSON.stringify(simulators.urls)}\n`)
if (!stop.signal.aborted) await once(stop.signal, 'abort')
