import { examples } from '@tieline/contracts/examples'
import { credentials } from '@tieline/testkit/installation'
import { measureLoad } from './load.ts'
import { type Measurement, median } from './measurement.ts'
import { startBenchWorld } from './world.ts'

const rounds = 5
const requestsPerRound = 6_000
const connections = 64

/** How many messages a second the ingress accepts, against the least that could be called accepting. */
export async function measureAccept(): Promise<Measurement> {
  await using world = await startBenchWorld()
  const plainUrl = await world.startPlain('plain-accept.ts')
  const contestants = {
    plain: `${plainUrl}/derms/sendEnrollAck`,
    tieline: `${(await world.startIngress('bench')).url}/derms/sendEnrollAck`,
    'tieline, encrypted': `${(await world.startIngress('bench-key', world.payloadKey)).url}/derms/sendEnrollAck`,
  }
  const { username, password } = credentials.derms
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const rates: Record<string, number[]> = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [name, url] of Object.entries(contestants)) {
      const body = (n: number) => acknowledgment(n, `${round}`)
      const load = { url, authorization, connections, requests: requestsPerRound, body, expectedStatus: 202 }
      const rate = await measureLoad(load)
      // The first round warms up.
      if (round > 0) rates[name] = [...(rates[name] ?? []), rate]
    }
  }

  const ratio = (name: string) => median((rates[name] ?? []).map((rate, i) => rate / (rates.plain?.[i] ?? Number.NaN)))
  return {
    name: 'accept',
    what: 'accept: F3, 1 KiB, distinct ids, 64 connections, fsync always, one ingress process, against Hono + zod + one LPUSH',
    rounds,
    results: Object.keys(contestants).map((name) => ({
      name,
      perSecond: Math.round(median(rates[name] ?? [])),
      ratioToPlain: Number(ratio(name).toFixed(2)),
    })),
  }
}

/** A message of about 1 KiB whose ids nobody else has. */
function acknowledgment(n: number, round: string): string {
  const example = examples['enrollment-sync-ack'] as { MsgAck: { responses: { response: object[] } } }
  const [first] = example.MsgAck.responses.response
  const dacsMessageId = `${round}${String(n).padStart(8, '0')}`
  const response = { ...first, dacsMessageId, value: 'x'.repeat(700) }
  return JSON.stringify({ MsgAck: { ...example.MsgAck, responses: { response: [response] } } })
}
