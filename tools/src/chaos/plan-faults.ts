import type { Disturbance } from './disturbed-link.ts'
import type { Random } from './random.ts'
import type { LinkName, ProcessName } from './world.ts'

export type FaultStep =
  | KillStep
  | { readonly kind: 'stop'; readonly atMs: number; readonly process: ProcessName; readonly stoppedMs: number }
  | { readonly kind: 'stop-redis'; readonly atMs: number; readonly stoppedMs: number }
  | { readonly kind: 'disturb'; readonly atMs: number; readonly link: LinkName; readonly disturbance: Disturbance }
  | TargetFault

/** Not before it has served for `servedMs`. */
export type KillStep = { readonly atMs: number; readonly servedMs: number; readonly downMs: number } & (
  | { readonly kind: 'kill'; readonly process: ProcessName }
  | { readonly kind: 'kill-redis' }
)

export type TargetFault = {
  readonly atMs: number
  readonly operation: (typeof operations)[number]
} & (
  | { readonly kind: 'apply-then-drop' | 'drop-before'; readonly times: number }
  | { readonly kind: 'fail'; readonly status: number; readonly apply: boolean; readonly times: number }
  | { readonly kind: 'latency'; readonly ms: number; readonly forMs: number }
)

const dacsOperations = [
  'enrollProgram',
  'updateSyncRequest',
  'postDeviceStatus',
  'createProgramEvent',
  'actionProgramEvent',
  'healthCheck',
  ...(['reserveDevice', 'postEventOutcome'] as const),
] as const
const operations = [
  ...dacsOperations,
  'enroll',
  'statusCheck',
  'eventReservationAck',
  'deviceOutcomeAck',
  'deviceScore',
] as const

export const dermsOperations: readonly string[] = operations.slice(dacsOperations.length)

/** Rows are judged inside DACS, so it may refuse any segment; elsewhere a refusal is a matter of the message. */
const refusing: readonly string[] = ['reserveDevice', 'postEventOutcome']

const workers: [ProcessName, ...ProcessName[]] = [
  'enrollment-1',
  'enrollment-2',
  'events-1',
  'events-2',
  'device-score-1',
  'device-score-2',
]

/** What happens how often; how many of it a minute. */
export function planFaults(random: Random, endMs: number): FaultStep[] {
  const often = (perMinute: number, step: (atMs: number) => FaultStep) => spread(random, endMs, perMinute).map(step)
  const killed = (downMsMax: number) => ({ servedMs: random.whole(200, 2_000), downMs: random.whole(50, downMsMax) })
  return [
    ...often(14, (atMs) => ({ kind: 'kill', atMs, process: 'ingress', ...killed(500) })),
    ...often(14, (atMs) => ({ kind: 'kill-redis', atMs, ...killed(1_000) })),
    ...often(15, (atMs) => ({ kind: 'kill', atMs, process: random.pick(workers), ...killed(1_200) })),
    ...often(2, (atMs) => ({ kind: 'kill', atMs, process: 'notifier', ...killed(1_200) })),
    // Past the lock of 2 s, so that another worker takes over what this one still believes to hold.
    ...often(8, (atMs) => ({
      kind: 'stop',
      atMs,
      process: random.pick(workers),
      stoppedMs: random.whole(2_500, 6_000),
    })),
    ...often(1, (atMs) => ({ kind: 'stop', atMs, process: 'ingress', stoppedMs: random.whole(500, 3_000) })),
    ...often(2, (atMs) => ({ kind: 'stop-redis', atMs, stoppedMs: random.whole(500, 3_000) })),
    ...often(30, (atMs) => ({ kind: 'disturb', atMs, ...networkFault(random) })),
    ...often(150, (atMs) => targetFault(random, atMs)),
  ]
}

/** Evenly, but for chance within each piece: so a seed cannot leave out what a run must have. */
function spread(random: Random, endMs: number, perMinute: number): number[] {
  const pieceMs = 60_000 / perMinute
  return Array.from({ length: Math.floor(endMs / pieceMs) }, (_, i) => Math.round((i + random.fraction()) * pieceMs))
}

function networkFault(random: Random): { link: LinkName; disturbance: Disturbance } {
  const link = random.pick<LinkName>(['redis', 'redis', 'dacs', 'derms', 'sftp'])
  const oneIn = random.pick([1, 2, 3, 5])
  const forMs = random.whole(300, 2_500)
  switch (random.whole(1, 6)) {
    case 1:
    case 2:
    case 3:
      return { link, disturbance: { kind: 'cut', oneIn, afterBytes: random.pick([1, 20, 200, 1_000, 5_000]) } }
    case 4:
      // Both ways together stay below the connection's limit of 1.5 s.
      return { link, disturbance: { kind: 'delay', ms: random.whole(20, 400), forMs } }
    case 5:
      return { link, disturbance: { kind: 'throttle', bytesPerS: random.pick([2_000, 20_000, 100_000]), forMs } }
    default:
      // Those of Redis may stay so until the services notice it themselves.
      return {
        link,
        disturbance: {
          kind: 'half-open',
          oneIn: Math.max(oneIn, 2),
          forMs: random.whole(1_000, link === 'redis' ? 25_000 : 6_000),
        },
      }
  }
}

function targetFault(random: Random, atMs: number): TargetFault {
  const operation = random.pick(operations)
  const times = random.whole(1, 3)
  switch (random.whole(1, 8)) {
    case 1:
    case 2:
    case 3:
    case 4:
      return { kind: 'apply-then-drop', atMs, operation, times }
    case 5:
      return { kind: 'drop-before', atMs, operation, times }
    case 6: {
      const status = random.pick([503, 500, 404, 429, ...(refusing.includes(operation) ? [400, 400] : [])])
      return { kind: 'fail', atMs, operation, status, apply: false, times }
    }
    case 7:
      return { kind: 'fail', atMs, operation, status: random.pick([502, 500]), apply: true, times }
    default:
      // Now and then above the connection's limit of 1.5 s.
      return { kind: 'latency', atMs, operation, ms: random.whole(20, 2_000), forMs: random.whole(500, 3_000) }
  }
}
