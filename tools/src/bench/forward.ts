import { join } from 'node:path'
import { eventually } from '@tieline/testkit/eventually'
import { acknowledgment, asDerms } from './accept.ts'
import { measureLoad } from './load.ts'
import { type Measurement, median, ratioOf } from './measurement.ts'
import { installPeer } from './peers.ts'
import { type BenchProcess, startBenchWorld, type Trial } from './world.ts'

const rounds = 5
const requests = 4_000

/** Accepting and forwarding (F3), against the usual recipe of Express, BullMQ and axios on the same Redis. */
export async function measureForward(trial?: Trial): Promise<Measurement> {
  await using world = await startBenchWorld(trial)
  const recipe = await installPeer('express-bullmq')
  const theirTarget = await world.startPlain('far-sides.ts')
  const ourTarget = await world.startPlain('far-sides.ts')
  const server = await world.startPeer(join(recipe, 'server.js'), [], {})
  await world.startPeer(join(recipe, 'worker.js'), [], { TARGET: theirTarget })
  const { ingress } = await world.startPipeline('bench', ourTarget, {}, { service: 'enrollment' })
  const contestants = [
    { name: 'Express + BullMQ + axios', process: server, target: theirTarget },
    { name: 'Tieline', process: ingress, target: ourTarget },
  ] as const
  const seen = contestants.map(() => ({ accepted: [] as number[], forwarded: [] as number[] }))
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const { accepted, forwarded } = await forward(contestant, round)
      if (round === 0) continue
      seen[i]?.accepted.push(accepted)
      seen[i]?.forwarded.push(forwarded)
    }
  }
  const [theirs, ours] = seen
  const accepted = ratioOf(ours?.accepted, theirs?.accepted)
  const forwarded = ratioOf(ours?.forwarded, theirs?.forwarded)
  return {
    name: 'forward',
    what: `accept and forward: F3, 1 KiB, ${requests} messages over 64 connections, target 0 ms, no key, fsync always`,
    rounds,
    results: contestants.map(({ name }, i) => ({
      name,
      'accepted per second': Math.round(median(seen[i]?.accepted ?? [])),
      'forwarded per second': Math.round(median(seen[i]?.forwarded ?? [])),
      'ratio accepted': i === 0 ? 1 : accepted,
      'ratio forwarded': i === 0 ? 1 : forwarded,
    })),
    figures: [
      { what: 'accepting, F3', against: 'Express, BullMQ, axios', value: accepted, unit: '', atLeast: 0.75 },
      {
        what: 'accepting and forwarding, F3',
        against: 'Express, BullMQ, axios',
        value: forwarded,
        unit: '',
        atLeast: 0.55,
      },
    ],
  }
}

/** Forwarded: from the first request until the target has the last. */
async function forward({ process, target }: { process: BenchProcess; target: string }, round: number) {
  const calls = async () => ((await (await fetch(`${target}/counts`)).json()) as { calls: number }).calls
  const before = await calls()
  const startedAt = performance.now()
  const { perSecond } = await measureLoad({
    url: `${process.url}/derms/sendEnrollAck`,
    authorization: asDerms,
    connections: 64,
    requests,
    body: (n) => acknowledgment(n, `f${round}`),
    expectedStatus: 202,
  })
  await eventually(async () => (await calls()) - before >= requests, 120_000)
  return { accepted: perSecond, forwarded: (requests * 1_000) / (performance.now() - startedAt) }
}
