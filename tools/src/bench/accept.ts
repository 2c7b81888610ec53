import { examples } from '@tieline/contracts/examples'
import { credentials } from '@tieline/testkit/installation'
import { measureLoad } from './load.ts'
import { type Measurement, median, ratioOf } from './measurement.ts'
import { startBenchWorld, type Trial } from './world.ts'

const rounds = 5
const requestsPerRound = 6_000
const connections = 64

/** How many messages a second the ingress accepts, against the least that could be called accepting. */
export async function measureAccept(trial?: Trial): Promise<Measurement> {
  await using world = await startBenchWorld(trial)
  const path = '/derms/sendEnrollAck'
  const contestants = {
    'Hono + zod + LPUSH': (await world.startPlain('plain-accept.ts')) + path,
    Tieline: (await world.startIngress('bench')).url + path,
    'Hono + zod + hash + encryption + LPUSH': (await world.startPlain('plain-accept.ts', { SEALED: '1' })) + path,
    'Tieline, encrypted': (await world.startIngress('bench-key', world.payloadKey)).url + path,
  }
  const names = Object.keys(contestants) as (keyof typeof contestants)[]
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    (typeof names)[number],
    number[]
  >
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const { perSecond } = await measureLoad({
        url: contestants[name],
        authorization: asDerms,
        connections,
        requests: requestsPerRound,
        body: (n) => acknowledgment(n, `${round}`),
        expectedStatus: 202,
      })
      // The first round warms up.
      if (round > 0) rates[name].push(perSecond)
    }
  }

  const [plain, ours, sealed, ourSealed] = names.map((name) => rates[name])
  const clear = ratioOf(ours, plain)
  const encrypted = ratioOf(ourSealed, sealed)
  const ratios = [1, clear, 1, encrypted]
  return {
    name: 'accept',
    what: 'accept: F3, 1 KiB, distinct ids, 64 connections, fsync always, one ingress process; each against the line above it',
    rounds,
    results: names.map((name, i) => ({
      name,
      'per second': Math.round(median(rates[name])),
      ratio: ratios[i] ?? 1,
    })),
    figures: [
      { what: 'accepting, F3, in clear', against: 'Hono, zod, one LPUSH', value: clear, unit: '', atLeast: 0.45 },
      {
        what: 'accepting, F3, encrypted',
        against: 'the same with hash and encryption',
        value: encrypted,
        unit: '',
        atLeast: 0.55,
      },
    ],
  }
}

const { username, password } = credentials.derms
export const asDerms = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** A message of about 1 KiB whose ids nobody else has. */
export function acknowledgment(n: number, round: string): string {
  const example = examples['enrollment-sync-ack'] as { MsgAck: { responses: { response: object[] } } }
  const [first] = example.MsgAck.responses.response
  const dacsMessageId = `${round}${String(n).padStart(8, '0')}`
  const response = { ...first, dacsMessageId, value: 'x'.repeat(700) }
  return JSON.stringify({ MsgAck: { ...example.MsgAck, responses: { response: [response] } } })
}
