import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { asDerms } from './accept.ts'
import { measureLoad } from './load.ts'
import { type Measurement, median, ratioOf } from './measurement.ts'
import { installPeer } from './peers.ts'
import { startBenchWorld } from './world.ts'

const rounds = 5
const targetMs = 20

/** What an awaited message (F7) costs beside the call that it makes, and how many go through, against Node-RED. */
export async function measureAwaited(): Promise<Measurement> {
  await using parts = new AsyncDisposableStack()
  const world = parts.use(await startBenchWorld())
  const userDir = await mkdtemp(join(tmpdir(), 'tieline-node-red-'))
  parts.defer(() => rm(userDir, { recursive: true, force: true }))
  const nodeRed = await installPeer('node-red')
  const farSides = await world.startPlain('far-sides.ts', { LATENCY_MS: String(targetMs) })
  const { ingress } = await world.startPipeline('bench', farSides, world.payloadKey)
  const peer = await world.startPeer(
    join(nodeRed, 'node_modules/node-red/red.js'),
    ['-s', join(nodeRed, 'settings.cjs')],
    {
      TARGET: farSides,
      USER_DIR: userDir,
    },
  )
  const contestants = {
    'the call alone': `${farSides}/cross/service/programEvent/`,
    'Node-RED, which keeps nothing': `${peer.url}/derms/statusUpdate`,
    'Tieline, encrypted': `${ingress.url}/derms/statusUpdate`,
  }
  const names = Object.keys(contestants)
  const seen = Object.fromEntries(names.map((name) => [name, { p50Ms: [] as number[], perSecond: [] as number[] }]))
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const load = { url: contestants[name as keyof typeof contestants], authorization: asDerms, expectedStatus: 200 }
      const few = await measureLoad({ ...load, connections: 10, requests: 500, body: stage(`${round}-few`) })
      const many = await measureLoad({ ...load, connections: 50, requests: 3_000, body: stage(`${round}-many`) })
      if (round === 0) continue
      seen[name]?.p50Ms.push(few.p50Ms)
      seen[name]?.perSecond.push(many.perSecond)
    }
  }

  const [alone, theirs, ours] = names.map((name) => seen[name])
  const addedMs = (name: string) =>
    median((seen[name]?.p50Ms ?? []).map((ms, i) => ms - (alone?.p50Ms[i] ?? Number.NaN)))
  return {
    name: 'awaited',
    what: `awaited round trip: F7, distinct stages, target ${targetMs} ms, ingress and worker one process each`,
    rounds,
    results: names.map((name) => ({
      name,
      'p50 ms at 10': Number(median(seen[name]?.p50Ms ?? []).toFixed(1)),
      'added ms': Number(addedMs(name).toFixed(1)),
      'per second at 50': Math.round(median(seen[name]?.perSecond ?? [])),
      'of Node-RED': ratioOf(seen[name]?.perSecond, theirs?.perSecond),
    })),
    figures: [
      {
        what: 'an awaited F7 takes longer, 10 at a time',
        against: 'the call of the target alone',
        value: Number(addedMs(names[2] ?? '').toFixed(1)),
        unit: 'ms',
        atMost: 10,
      },
      {
        what: 'awaited F7, 50 at a time',
        against: 'a Node-RED flow, which keeps nothing',
        value: ratioOf(ours?.perSecond, theirs?.perSecond),
        unit: '',
        atLeast: 0.8,
      },
    ],
  }
}

/** Each stage is a line of its own. */
const stage = (round: string) => (n: number) =>
  JSON.stringify({
    ...examples['stage-status'],
    messageId: `STG-${round}-${n}`,
    eventId: `EVT-${round}-${n}`,
    stageId: `S-${round}-${n}`,
    stageStatus: 'SCHEDULED',
  })
