import {
  deviceStatusAck,
  deviceStatusCheck,
  enrollment,
  enrollmentSync,
  enrollmentSyncAck,
  type Message,
  type StageStatus,
  stageStatus,
} from './bodies.ts'
import { outcome, reservation } from './event-files.ts'
import type { SendStep } from './plan.ts'
import type { Random } from './random.ts'

/** Messages that belong together: a stage with its devices, a subscription with its syncs and their answers. */
export function tellStory(random: Random, n: number, atMs: number): SendStep[] {
  switch (random.whole(1, 8)) {
    case 1:
    case 2: {
      const ids = Array.from({ length: random.whole(1, 3) }, (_, i) => `ENR-${n}-${i}`)
      return send(random, atMs, enrollment(ids, random.chance(0.15) ? random.whole(0, ids.length - 1) : -1))
    }
    case 3:
    case 4:
      return tellSubscription(random, n, atMs)
    case 5: {
      const id = `2024${String(n).padStart(24, '0')}`
      const answerAtMs = atMs + random.whole(-200, 3_000)
      return [
        ...send(random, atMs, deviceStatusCheck(id)),
        ...(random.chance(0.8) ? send(random, Math.max(answerAtMs, 0), deviceStatusAck(id)) : []),
      ]
    }
    default:
      return tellStage(random, n, atMs)
  }
}

function tellSubscription(random: Random, n: number, atMs: number): SendStep[] {
  const steps: SendStep[] = []
  let nextMs = atMs
  for (let i = random.whole(1, 4); i > 0; i--) {
    const id = String(20_000_000_000_000 + n * 10 + i)
    steps.push(...send(random, nextMs, enrollmentSync(id, `SUB-${n}`)))
    if (random.chance(0.7)) steps.push(...send(random, nextMs + random.whole(100, 4_000), enrollmentSyncAck(id)))
    nextMs += random.whole(5, 1_500)
  }
  return steps
}

function tellStage(random: Random, n: number, atMs: number): SendStep[] {
  const courses: [StageStatus[], ...StageStatus[][]] = [
    ['SCHEDULED', 'IN_PROGRESS', 'COMPLETED'],
    ['SCHEDULED', 'CANCELED'],
    ['SCHEDULED', 'IN_PROGRESS', 'CANCELED'],
    ['IN_PROGRESS', 'SCHEDULED', 'COMPLETED'],
  ]
  const steps: SendStep[] = []
  let nextMs = atMs
  for (const status of random.pick(courses)) {
    steps.push(...send(random, nextMs, stageStatus(String(n), status)))
    nextMs += random.whole(5, 1_500)
  }
  // Some reservations come before the stage that they are for.
  const reserveAtMs = Math.max(atMs + random.whole(-100, 600), 0)
  if (random.chance(0.4)) steps.push(...send(random, reserveAtMs, reservation(String(n), String(n), rows(random))))
  if (random.chance(0.4)) {
    const count = rows(random)
    const bad = random.chance(0.15) ? random.whole(1, count) : 0
    steps.push(...send(random, nextMs, outcome(String(n), String(n), count, bad)))
  }
  return steps
}

const rows = (random: Random) => (random.chance(0.2) ? random.whole(60, 150) : random.whole(1, 40))

/** A message with what callers do to it besides: the same again, another payload, no patience. */
function send(random: Random, atMs: number, message: Message): SendStep[] {
  const once = (stepMs: number, version: number, repeats: number): SendStep => ({
    kind: 'send',
    atMs: stepMs,
    message,
    version,
    repeatAfterMs: Array.from({ length: repeats }, () => random.whole(200, 2_500)),
    ...(random.chance(0.08) && { hangUpAfterMs: random.whole(20, 2_000) }),
  })
  const steps = [once(atMs, 0, 8)]
  if (random.chance(0.25)) {
    const rightAway = random.whole(0, 30)
    const whileRunning = random.whole(100, 1_500)
    const afterTheEnd = random.whole(3_000, 8_000)
    steps.push(once(atMs + random.pick([rightAway, whileRunning, afterTheEnd]), 0, 1))
  }
  if (random.chance(0.12)) steps.push(once(atMs + random.whole(5, 4_000), 1, 2))
  if (random.chance(0.03)) steps.push(once(atMs + random.whole(5, 4_000), 2, 1))
  return steps
}
