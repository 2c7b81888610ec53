import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { measureAccept } from './bench/accept.ts'
import { measureAwaited } from './bench/awaited.ts'
import { measureBacklog } from './bench/backlog.ts'
import { measureForward } from './bench/forward.ts'
import { formatMeasurement } from './bench/measurement.ts'
import { measureOutcome } from './bench/outcome.ts'
import { measureReservation } from './bench/reservation.ts'
import { measureScore } from './bench/score.ts'
import { root } from './generate.ts'

/** Each measurement by the name that it is asked for by. */
const measurements = {
  accept: measureAccept,
  awaited: measureAwaited,
  forward: measureForward,
  outcome: measureOutcome,
  reservation: measureReservation,
  score: measureScore,
  backlog: measureBacklog,
} as const

const names = Object.keys(measurements) as (keyof typeof measurements)[]
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !names.some((known) => known === name))
if (unknown.length > 0) throw new Error(`No measurement ${unknown.join(', ')}; there are ${names.join(', ')}`)

const directory = join(root, 'bench/results')
await mkdir(directory, { recursive: true })
for (const name of names.filter((name) => asked.length === 0 || asked.includes(name))) {
  const measurement = await measurements[name]()
  process.stdout.write(`${formatMeasurement(measurement)}\n\n`)
  const where = {
    at: new Date().toISOString(),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`,
  }
  await writeFile(
    join(directory, `${measurement.name}.json`),
    `${JSON.stringify({ ...where, ...measurement }, null, 2)}\n`,
  )
}
