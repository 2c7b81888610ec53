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
import { type FaultStep, planFaults } from './plan-faults.ts'
import { createRandom, type Random } from './random.ts'

/** A caller sends a message, once or until it knows its result. */
export interface SendStep {
  readonly kind: 'send'
  readonly atMs: number
  readonly message: Message
  readonly version: number
  /** Pauses before each repeat, as long as there is no final answer. */
  readonly repeatAfterMs: readonly number[]
  /** The caller goes away after this time. */
  readonly hangUpAfterMs?: number
}

export type Step = SendStep | FaultStep

/** Everything that a seed decides, in order of time: the same seed gives the same plan. */
export function createPlan(seed: number, seconds: number, messagesPerSecond: number): Step[] {
  const random = createRandom(seed)
  const endMs = seconds * 1_000
  const stories: SendStep[] = []
  for (let n = 1; stories.length < seconds * messagesPerSecond; n++) {
    const atMs = random.whole(0, Math.max(endMs - 2_000, 0))
    stories.push(...tellStory(random, n, atMs))
  }
  const sends = stories.map((step) => ({ ...step, atMs: Math.min(step.atMs, endMs) }))
  return [...sends, ...planFaults(random, endMs)].sort((a, b) => a.atMs - b.atMs)
}

/** What belongs together: a stage from its schedule to its end, a subscription with its syncs and their answers. */
function tellStory(random: Random, n: number, atMs: number): SendStep[] {
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
  return steps
}

/** A message with what callers do to it besides: the same again, another payload, no patience. */
function send(random: Random, atMs: number, message: Message): SendStep[] {
  const once = (stepMs: number, version: number, repeats: number): SendStep => ({
    kind: 'send',
    atMs: stepMs,
    message,
    version,
    repeatAfterMs: Array.from({ length: repeats }, () => random.whole(100, 2_500)),
    ...(random.chance(0.08) && { hangUpAfterMs: random.whole(20, 2_000) }),
  })
  const steps = [once(atMs, 0, 4)]
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
