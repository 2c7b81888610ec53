import type { Random } from './random.ts'
import type { ProcessName } from './world.ts'

export type FaultStep =
  | { readonly kind: 'kill'; readonly atMs: number; readonly process: ProcessName; readonly downMs: number }
  | { readonly kind: 'stop'; readonly atMs: number; readonly process: ProcessName; readonly stoppedMs: number }
  | { readonly kind: 'kill-redis'; readonly atMs: number; readonly downMs: number }
  | TargetFault

export type TargetFault = {
  readonly atMs: number
  readonly operation: (typeof operations)[number]
} & (
  | { readonly kind: 'apply-then-drop' | 'drop-before'; readonly times: number }
  | { readonly kind: 'fail'; readonly status: number; readonly apply: boolean; readonly times: number }
  | { readonly kind: 'latency'; readonly ms: number; readonly forMs: number }
)

const operations = [
  'enrollProgram',
  'updateSyncRequest',
  'postDeviceStatus',
  'createProgramEvent',
  'actionProgramEvent',
  'enroll',
  'statusCheck',
] as const

export const dermsOperations: readonly string[] = ['enroll', 'statusCheck']

const workers: [ProcessName, ...ProcessName[]] = ['enrollment-1', 'enrollment-2', 'events-1', 'events-2']

/** Something happens to a process about every 2.5 s, to a target's answers about every 700 ms. */
export function planFaults(random: Random, endMs: number): FaultStep[] {
  const steps: FaultStep[] = []
  for (let atMs = random.whole(500, 2_000); atMs < endMs; atMs += random.whole(1_000, 4_000)) {
    steps.push(processFault(random, atMs))
  }
  for (let atMs = random.whole(0, 500); atMs < endMs; atMs += random.whole(200, 1_200)) {
    steps.push(targetFault(random, atMs))
  }
  return steps
}

function processFault(random: Random, atMs: number): FaultStep {
  const downMs = random.whole(50, 1_500)
  switch (random.whole(1, 10)) {
    case 1:
    case 2:
      return { kind: 'kill', atMs, process: 'ingress', downMs }
    case 3:
    case 4:
      return { kind: 'kill-redis', atMs, downMs }
    case 5:
    case 6:
    case 7:
      // Past the lock of 2 s, so that another worker takes over what this one still believes to hold.
      return { kind: 'stop', atMs, process: random.pick(workers), stoppedMs: random.whole(2_500, 6_000) }
    default:
      return { kind: 'kill', atMs, process: random.pick([...workers, 'notifier']), downMs }
  }
}

function targetFault(random: Random, atMs: number): TargetFault {
  const operation = random.pick(operations)
  const times = random.whole(1, 3)
  switch (random.whole(1, 6)) {
    case 1:
    case 2:
      return { kind: 'apply-then-drop', atMs, operation, times }
    case 3:
      return { kind: 'drop-before', atMs, operation, times }
    case 4:
      return { kind: 'fail', atMs, operation, status: random.pick([503, 500, 404, 429]), apply: false, times }
    case 5:
      return { kind: 'fail', atMs, operation, status: random.pick([502, 500]), apply: true, times }
    default:
      // Now and then above the connection's limit of 1.5 s.
      return { kind: 'latency', atMs, operation, ms: random.whole(20, 2_000), forMs: random.whole(500, 3_000) }
  }
}
