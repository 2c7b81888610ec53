import type { Message } from './bodies.ts'
import { type FaultStep, planFaults } from './plan-faults.ts'
import { createRandom, type Random } from './random.ts'
import { type TransferName, transferNames } from './score-places.ts'
import { tellStory } from './stories.ts'

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

/** DACS writes a score file. */
export interface PutStep {
  readonly kind: 'put'
  readonly atMs: number
  readonly transfer: TransferName
  readonly name: string
  readonly bytes: number
}

/** Somebody wants a transfer to run now. */
export interface RunStep {
  readonly kind: 'run'
  readonly atMs: number
  readonly transfer: TransferName
}

export type Step = SendStep | PutStep | RunStep | FaultStep

/** Of callers, and about as many as two cores can carry between all the crashes. */
const messagesPerMinute = 1_950

/** Everything that a seed decides, in order of time: the same seed gives the same plan. */
export function createPlan(seed: number, minutes: number): Step[] {
  const random = createRandom(seed)
  const endMs = minutes * 60_000
  const sends: SendStep[] = []
  const messages = new Set<Message>()
  for (let n = 1; messages.size < minutes * messagesPerMinute; n++) {
    const story = tellStory(random, n, random.whole(0, Math.max(endMs - 2_000, 0)))
    for (const { message } of story) messages.add(message)
    sends.push(...story.map((step) => ({ ...step, atMs: Math.min(step.atMs, endMs) })))
  }
  return [...sends, ...planScores(random, endMs), ...planFaults(random, endMs)].sort((a, b) => a.atMs - b.atMs)
}

/** Names come again, also while a file before them is still there; then DACS leaves it at that. */
const namesOfTransfer = 12

/** About 1.5 files a second, and a run on demand every 3 s beside those of the schedules. */
function planScores(random: Random, endMs: number): (PutStep | RunStep)[] {
  const steps: (PutStep | RunStep)[] = []
  for (let atMs = 0; atMs < endMs; atMs += random.whole(200, 1_100)) {
    const transfer = random.pick(transferNames)
    const name = `DeviceScore_${random.whole(1, namesOfTransfer)}.csv`
    const bytes = random.chance(0.2) ? random.whole(100_000, 400_000) : random.whole(200, 20_000)
    steps.push({ kind: 'put', atMs, transfer, name, bytes })
  }
  for (let atMs = 500; atMs < endMs; atMs += random.whole(1_000, 5_000)) {
    steps.push({ kind: 'run', atMs, transfer: random.pick(transferNames) })
  }
  return steps
}
