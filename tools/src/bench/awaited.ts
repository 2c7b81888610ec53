import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { examples } from '@tieline/contracts/examples'
import { eventually } from '@tieline/testkit/eventually'
import { asDerms } from './accept.ts'
import { measureLoad } from './load.ts'
import { type Measurement, median, ratioOf } from './measurement.ts'
import { installPeer } from './peers.ts'
import { type BenchWorld, startBenchWorld, type Trial } from './world.ts'

const rounds = 5
const targetMs = 20
/** More than the calls at a time, so that the connection itself holds nothing back. */
const concurrency = 64

/** What keeps a message before it calls the target, as Tieline does, and one that does not. */
const peers = {
  'node-red': { name: 'Node-RED, which keeps nothing', path: '/derms/statusUpdate' },
  restate: { name: 'Restate, durable', path: '/Forward/statusUpdate' },
  dbos: { name: 'DBOS on PostgreSQL, durable', path: '/derms/statusUpdate' },
} as const

const alone = 'the call alone'
const tieline = 'Tieline, encrypted'

interface Seen {
  readonly p50Ms: number[]
  readonly perSecond: number[]
}

/** What an awaited message (F7) costs beside the call that it makes, and how many go through, beside what else does such work. */
export async function measureAwaited(trial?: Trial): Promise<Measurement> {
  await using world = await startBenchWorld(trial)
  const farSides = await world.startPlain('far-sides.ts', { LATENCY_MS: String(targetMs) })
  const { ingress } = await world.startPipeline('bench', farSides, world.payloadKey, { dacs: { concurrency } })
  const urls = {
    [alone]: `${farSides}/cross/service/programEvent/`,
    ...(await startPeers(world, farSides)),
    [tieline]: `${ingress.url}/derms/statusUpdate`,
  }
  const seen = await takeTurns(urls)

  const names = Object.keys(urls)
  const ours = seen.get(tieline)
  const addedMs = (name: string) => {
    const bare = seen.get(alone)?.p50Ms ?? []
    return Number(median((seen.get(name)?.p50Ms ?? []).map((ms, i) => ms - (bare[i] ?? Number.NaN))).toFixed(1))
  }
  const rateOf = (name: string) => ratioOf(ours?.perSecond, seen.get(name)?.perSecond)
  return {
    name: 'awaited',
    what: `awaited round trip: F7, distinct stages, target ${targetMs} ms, ingress and worker one process each, ${concurrency} calls at a time allowed`,
    rounds,
    results: names.map((name) => ({
      name,
      'p50 ms at 10': Number(median(seen.get(name)?.p50Ms ?? []).toFixed(1)),
      'added ms': addedMs(name),
      'per second at 50': Math.round(median(seen.get(name)?.perSecond ?? [])),
      'Tieline of it': rateOf(name),
    })),
    figures: [
      {
        what: 'an awaited F7 takes longer, 10 at a time',
        against: 'the call of the target alone',
        value: addedMs(tieline),
        unit: 'ms',
        atMost: 9,
      },
      {
        what: 'awaited F7, 50 at a time',
        against: peers.restate.name,
        value: rateOf(peers.restate.name),
        unit: '',
        atLeast: 1,
      },
      {
        what: 'awaited F7, 50 at a time',
        against: peers.dbos.name,
        value: rateOf(peers.dbos.name),
        unit: '',
        atLeast: 1.4,
      },
      {
        what: 'awaited F7, 50 at a time',
        against: peers['node-red'].name,
        value: rateOf(peers['node-red'].name),
        unit: '',
      },
    ],
  }
}

/** @returns where each peer takes messages */
async function startPeers(world: BenchWorld, farSides: string): Promise<Record<string, string>> {
  const urls: Record<string, string> = {}
  for (const [peer, { name, path }] of Object.entries(peers)) {
    const folder = await installPeer(peer as keyof typeof peers)
    const directory = await world.makeDirectory(peer)
    const [program, args] =
      peer === 'node-red' ? ['node_modules/node-red/red.js', ['-s', join(folder, 'settings.cjs')]] : ['server.js', []]
    const env = { TARGET: farSides, USER_DIR: directory, DATA_DIR: directory }
    const { url } = await world.startPeer(join(folder, program), args, env)
    urls[name] = url + path
    await eventually(async () => (await post(url + path, stage(`ready-${peer}-${randomUUID()}`)(0))) === 200, 60_000)
  }
  return urls
}

const post = async (url: string, body: string): Promise<number> => {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await response.text()
  return response.status
}

/** All one after the other, round by round. */
async function takeTurns(urls: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Seen>> {
  const seen = new Map<string, Seen>(Object.keys(urls).map((name) => [name, { p50Ms: [], perSecond: [] }]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, url] of Object.entries(urls)) {
      const load = { url, authorization: asDerms, expectedStatus: 200 }
      const few = await measureLoad({ ...load, connections: 10, requests: 500, body: stage(`${round}-few`) })
      const many = await measureLoad({ ...load, connections: 50, requests: 3_000, body: stage(`${round}-many`) })
      // The first round warms up.
      if (round === 0) continue
      seen.get(name)?.p50Ms.push(few.p50Ms)
      seen.get(name)?.perSecond.push(many.perSecond)
    }
  }
  return seen
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
