import { eventually } from '@tieline/testkit/eventually'
import { outcomeRows, postFile } from './event-files.ts'
import { type Measurement, median, ratioOf } from './measurement.ts'
import { startBenchWorld, type Trial } from './world.ts'

const rounds = 5
const rows = 100_000
const targetMs = 100

interface Counts {
  readonly calls: number
  readonly rows: number
  readonly lastCallAt: number
}

/** How fast the rows of an outcome file reach DACS, against a loop that does nothing but read and post them. */
export async function measureOutcome(trial?: Trial): Promise<Measurement> {
  await using world = await startBenchWorld(trial)
  const farSides = await world.startPlain('far-sides.ts', { LATENCY_MS: String(targetMs) })
  const { ingress } = await world.startPipeline('bench', farSides, world.payloadKey)
  const bareLoop = await world.startPlain('bare-loop.ts', { TARGET: farSides })
  const read = async () => (await (await fetch(`${farSides}/counts`)).json()) as Counts
  /** Seconds from the beginning of the work to the last call. */
  const timed = async (begin: () => Promise<void>) => {
    const before = await read()
    await begin()
    const startedAt = Date.now()
    const after = await eventually(async () => {
      const counts = await read()
      return counts.rows - before.rows >= rows ? counts : undefined
    }, 120_000)
    return (after.lastCallAt - startedAt) / 1_000
  }
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const posted = await timed(async () => {
      // The worker begins when the file is accepted.
      await postFile(`${ingress.url}/derms/eventOutcome`, 'event-outcome', `O-${round}`, outcomeRows(rows))
    })
    const looped = await timed(async () => {
      await fetch(`${bareLoop}/start`, { method: 'POST' })
    })
    if (round === 0) continue
    ours.push(posted)
    theirs.push(looped)
  }
  const ratio = ratioOf(theirs, ours)
  return {
    name: 'outcome',
    what: `F9: ${rows} rows, target ${targetMs} ms, 16 calls at a time, encrypted, from the accepted file to the last segment`,
    rounds,
    results: [
      { name: 'a loop that reads and posts', s: Number(median(theirs).toFixed(1)), ratio: 1 },
      { name: 'Tieline', s: Number(median(ours).toFixed(1)), ratio },
    ],
    figures: [
      { what: 'an outcome file of 100,000 rows, F9', against: 'a bare loop', value: ratio, unit: '', atLeast: 0.91 },
    ],
  }
}
