import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureAccept } from './bench/accept.ts'
import { measureAwaited } from './bench/awaited.ts'
import { measureBacklog } from './bench/backlog.ts'
import { measureForward } from './bench/forward.ts'
import { formatMeasurement } from './bench/measurement.ts'
import { measureOutcome } from './bench/outcome.ts'
import { describeProfiles } from './bench/profile.ts'
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
const { positionals: asked, values } = parseArgs({
  allowPositionals: true,
  options: {
    /** Each service writes a profile of its processor time. */
    profile: { type: 'boolean', default: false },
    /** Flags of node for each service, in one word. */
    flags: { type: 'string' },
  },
})
const unknown = asked.filter((name) => !names.some((known) => known === name))
if (unknown.length > 0) throw new Error(`No measurement ${unknown.join(', ')}; there are ${names.join(', ')}`)

// Nothing that a measurement started outlives it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const isTrial = values.profile || values.flags !== undefined
const directory = join(root, 'bench/results')
await mkdir(directory, { recursive: true })
for (const name of names.filter((name) => asked.length === 0 || asked.includes(name))) {
  const profiles = values.profile ? await mkdtemp(join(tmpdir(), `tieline-profiles-${name}-`)) : undefined
  const startedAt = performance.now()
  const measurement = await measurements[name]({ flags: values.flags?.split(' '), profiles })
  const tookS = Math.round((performance.now() - startedAt) / 1_000)
  process.stdout.write(`${formatMeasurement(measurement)}\n\nTook ${tookS} s\n\n`)
  if (profiles !== undefined) process.stdout.write(`${await describeProfiles(profiles)}\n\nin ${profiles}\n\n`)
  if (isTrial) continue
  const where = {
    at: new Date().toISOString(),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`,
  }
  await writeFile(
    join(directory, `${measurement.name}.json`),
    `${JSON.stringify({ ...where, ...measurement }, null, 2)}\n`,
  )
}
