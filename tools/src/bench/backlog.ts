import { randomUUID } from 'node:crypto'
import { examples } from '@tieline/contracts/examples'
import { identify } from '@tieline/contracts/identity'
import { accept } from '@tieline/journal/intake'
import { hourMs, type Journal } from '@tieline/journal/journal'
import { trimExpired } from '@tieline/journal/kernel/sweeper'
import { listMessages } from '@tieline/journal/operations'
import { memoryUse } from '@tieline/runtime/redis'
import { eventually } from '@tieline/testkit/eventually'
import { Redis } from 'ioredis'
import { openForLooking } from '../chaos/look.ts'
import type { Measurement } from './measurement.ts'
import { startBenchWorld, type Trial } from './world.ts'

const messages = 50_000

/** How long a backlog takes to drain, and what a message takes in Redis, waiting and settled. */
export async function measureBacklog(trial?: Trial): Promise<Measurement> {
  await using world = await startBenchWorld(trial)
  const farSides = await world.startPlain('far-sides.ts')
  const { env, start } = await world.prepareWorker('bench', farSides, 'events')
  await using looking = await openForLooking(env)
  const { journal } = looking
  const redis = new Redis(world.redisUrl)
  const before = (await memoryUse(redis)).usedBytes
  await acceptAll(journal)
  const waiting = (await memoryUse(redis)).usedBytes

  await start()
  const startedAt = performance.now()
  await eventually(async () => {
    const counts = (await (await fetch(`${farSides}/counts`)).json()) as { calls: number }
    return counts.calls >= messages && (await listMessages(journal, { state: 'processing', limit: 1 })).length === 0
  }, 300_000)
  const seconds = (performance.now() - startedAt) / 1_000
  const each = (bytes: number) => Math.round((bytes - before) / messages)
  const settled = (await memoryUse(redis)).usedBytes
  await trimExpired({ ...journal, clock: () => Date.now() + (journal.retention.payloadHours + 1) * hourMs })
  const trimmed = (await memoryUse(redis)).usedBytes
  redis.disconnect()
  return {
    name: 'backlog',
    what: `${messages} waiting F7 messages of 1 KiB, encrypted, target 0 ms, one worker; bytes in Redis per message: waiting, settled once the payload is past its retention, and settled before`,
    rounds: 1,
    results: [
      {
        messages,
        'drained s': Number(seconds.toFixed(1)),
        'per second': Math.round(messages / seconds),
        'bytes waiting': each(waiting),
        'bytes settled': each(trimmed),
        'with payload': each(settled),
      },
    ],
    figures: [
      { what: 'draining 50,000 messages', against: '', value: Number(seconds.toFixed(1)), unit: 's', atMost: 22 },
      {
        what: 'Redis, a waiting message of 1 KiB',
        against: '',
        value: each(waiting),
        unit: 'bytes',
        atMost: 3_540,
      },
      {
        what: 'Redis, a settled message, its payload trimmed',
        against: '',
        value: each(trimmed),
        unit: 'bytes',
        atMost: 2_460,
      },
    ],
  }
}

async function acceptAll(journal: Journal): Promise<void> {
  let next = 0
  const acceptInTurn = async () => {
    while (next < messages) await acceptStage(journal, next++)
  }
  await Promise.all(Array.from({ length: 64 }, acceptInTurn))
}

function acceptStage(journal: Journal, n: number) {
  const flow = 'stage-status'
  const payload = {
    ...examples[flow],
    messageId: `STG-${n}`,
    eventId: `EVT-${n}`,
    stageId: `S-${n}`,
    stageStatus: 'SCHEDULED',
    comments: 'x'.repeat(700),
  }
  const identity = identify(flow, payload, 'derms', randomUUID())
  return accept(journal, { flow, ...identity, client: 'derms', payload, hash: randomUUID() })
}
