import { memoryUse } from '@tieline/runtime/redis'
import { eventually } from '@tieline/testkit/eventually'
import { Redis } from 'ioredis'
import { postFile, reservationRows } from './event-files.ts'
import { type Measurement, peakMib } from './measurement.ts'
import { startBenchWorld, type Trial } from './world.ts'

const sizes = [1_000, 100_000, 1_000_000] as const

/** How much memory a reservation file of a million rows takes, in the ingress, in the worker, and in Redis. */
export async function measureReservation(trial?: Trial): Promise<Measurement> {
  const results = []
  for (const rows of sizes) results.push(await measureFile(rows, trial))
  const largest = results.at(-1)
  const memory = (of: 'ingress' | 'worker') => ({
    what: `memory of the ${of}, 1,000,000 rows, F6`,
    against: '',
    value: largest?.[`${of} peak MiB`] ?? Number.NaN,
    unit: 'MiB',
    atMost: of === 'ingress' ? 197 : 235,
  })
  return {
    name: 'reservation',
    what: 'F6: one file, encrypted, target 0 ms: peak resident memory of ingress and worker, memory of Redis for the message',
    rounds: 1,
    results,
    figures: [memory('ingress'), memory('worker')],
  }
}

/** Fresh processes for each size, so that a peak belongs to it. */
async function measureFile(rows: number, trial?: Trial) {
  await using world = await startBenchWorld(trial)
  const farSides = await world.startPlain('far-sides.ts')
  const { ingress, worker } = await world.startPipeline('bench', farSides, world.payloadKey)
  const redis = new Redis(world.redisUrl)
  const before = (await memoryUse(redis)).usedBytes
  const startedAt = performance.now()
  const status = await postFile(
    `${ingress.url}/derms/reserveDevice`,
    'event-reservation',
    `R-${rows}`,
    reservationRows(rows),
  )
  if (status !== 202) throw new Error(`The ingress answered ${status}`)
  const acceptedAt = performance.now()
  const counts = await eventually(async () => {
    const seen = (await (await fetch(`${farSides}/counts`)).json()) as { rows: number; acks: number }
    return seen.acks > 0 ? seen : undefined
  }, 300_000)
  if (counts.rows !== rows) throw new Error(`${counts.rows} rows reached the target`)
  const doneAt = performance.now()
  const after = (await memoryUse(redis)).usedBytes
  const effects = Number(
    await redis.memory('USAGE', `{bench}:journal:e:event-reservation.SITE1.R-${rows}`, 'SAMPLES', 0),
  )
  redis.disconnect()
  return {
    rows,
    'ingress peak MiB': await peakMib(ingress),
    'worker peak MiB': await peakMib(worker),
    'Redis KiB': Math.round((after - before) / 1_024),
    'effects KiB': Math.round(effects / 1_024),
    'accepted s': Number(((acceptedAt - startedAt) / 1_000).toFixed(1)),
    'acknowledged s': Number(((doneAt - acceptedAt) / 1_000).toFixed(1)),
  }
}
