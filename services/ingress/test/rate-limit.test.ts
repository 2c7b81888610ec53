import { expect, test } from 'vitest'
import { createRateLimit } from '../src/rate-limit.ts'
import { derms, openIngress, syncAck } from './harness.ts'

const client = { name: 'derms', flows: [], credentials: [] }

test('a client has its requests of a minute, and others theirs', () => {
  let nowMs = 5_000
  const count = createRateLimit(() => nowMs)
  const [two, other, unbounded] = [
    { ...client, requestsPerMinute: 2 },
    { ...client, name: 'other', requestsPerMinute: 1 },
    { ...client, name: 'unbounded' },
  ]
  const refused = (waitS: string) => expect.objectContaining({ status: 429, headers: { 'retry-after': waitS } })
  count(two)
  nowMs += 10_000
  count(two)
  expect(() => count(two)).toThrow(refused('50'))
  nowMs += 49_999
  expect(() => count(two)).toThrow(refused('1'))
  count(other)
  for (let i = 0; i < 1_000; i++) count(unbounded)
  nowMs += 1
  count(two)
  count(two)
  expect(() => count(two)).toThrow(refused('60'))
})

test('a request too many is answered with 429 before its body is read, and nothing is recorded', async () => {
  const clients = [{ ...derms, requestsPerMinute: 1 }]
  await using ingress = await openIngress({ ingress: { clients } })
  expect((await ingress.post('enrollment-sync-ack', syncAck('A'))).status).toBe(202)
  const recorded = await ingress.recorded()
  const { status, headers, body } = await ingress.post('enrollment-sync-ack', 'no JSON at all')
  expect([status, body.code]).toEqual([429, 'too-many-requests'])
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await ingress.recorded()).toEqual(recorded)
})
