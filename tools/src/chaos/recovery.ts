import { setTimeout as delay } from 'node:timers/promises'
import type { Journal } from '@tieline/journal/journal'
import {
  deviceStatusAck,
  deviceStatusCheck,
  enrollment,
  enrollmentSync,
  enrollmentSyncAck,
  type Message,
  stageStatus,
} from './bodies.ts'
import type { Callers } from './callers.ts'
import type { Recovery } from './history.ts'
import { openMessages } from './look.ts'
import { toldBy } from './told.ts'
import { type ProcessName, type World, workerNames } from './world.ts'

/** Beyond the last retry that the faults left behind. */
const settleWithinMs = 30_000
/** However far off a retry is: a run ends by itself. */
const waitAtMostMs = 150_000

/** The deadline for everything to be settled, as seen when the faults end. */
export async function findDeadline(journal: Journal, faultsEndedAt: number): Promise<number> {
  const retries = (await openMessages(journal)).flatMap(({ state, nextAt }) =>
    state === 'retrying' ? (nextAt ?? []) : [],
  )
  return Math.max(faultsEndedAt, ...retries) + settleWithinMs
}

/** Waits until nothing is open; the time when that was so, or undefined when it did not come. */
export async function untilSettled(journal: Journal, deadline: number): Promise<number | undefined> {
  const end = Math.min(deadline + 5_000, Date.now() + waitAtMostMs)
  while (Date.now() < end) {
    const open = await openMessages(journal)
    if (open.length === 0) return Date.now()
    await delay(250)
  }
  return undefined
}

const canaryRounds = 25

/** Sends a canary of each flow, again and again until every worker process has settled one of each; names those that do not. */
export async function findIdle(world: World, callers: Pick<Callers, 'send'>): Promise<Recovery['idle']> {
  const before = await countSettled(world)
  const complaints = new Set<string>()
  for (let round = 0; round < canaryRounds; round++) {
    const answers = await Promise.all(canaries(round).map((canary) => callers.send(canary, 0)))
    for (const answer of answers) {
      const told = toldBy(answer)
      if (told !== 'SUCCESS' && told !== 'accepted') complaints.add(`a canary of ${answer.flow} was told ${told}; it`)
    }
    const idle = idleSince(before, await countSettled(world))
    if (complaints.size > 0 || idle.length === 0) return [...complaints, ...idle]
  }
  return [...complaints, ...idleSince(before, await countSettled(world))]
}

const canaries = (round: number): Message[] => [
  enrollment([`CANARY-${round}`]),
  enrollmentSync(String(90_000_000_000_000 + round), `CANARY-${round}`),
  enrollmentSyncAck(String(91_000_000_000_000 + round)),
  deviceStatusCheck(`CANARY-CHECK-${round}`),
  deviceStatusAck(`CANARY-ACK-${round}`),
  stageStatus(`CANARY-${round}`, 'SCHEDULED'),
]

const flowsOf: Readonly<Record<string, readonly string[]>> = {
  enrollment: [
    'enrollment-request',
    'enrollment-sync',
    'enrollment-sync-ack',
    'device-status-check',
    'device-status-ack',
  ],
  events: ['stage-status'],
}

type Counts = ReadonlyMap<string, number>

/** How many messages each worker process has settled, by process and flow. */
async function countSettled({ operationsUrl }: World): Promise<Counts> {
  const counts = new Map<string, number>()
  for (const name of workerNames) {
    const metrics = await fetchText(`${operationsUrl(name)}/metrics`)
    for (const [, flow, count] of metrics.matchAll(/^tieline_messages_settled_total\{flow="([^"]+)"[^}]*\} (\d+)/gm)) {
      const place = `${name}: ${flow}`
      counts.set(place, (counts.get(place) ?? 0) + Number(count))
    }
  }
  return counts
}

const fetchText = (url: string): Promise<string> =>
  fetch(url, { signal: AbortSignal.timeout(5_000) })
    .then((response) => response.text())
    .catch(() => '')

const placesOf = (name: ProcessName) => (flowsOf[name.split('-')[0] ?? ''] ?? []).map((flow) => `${name}: ${flow}`)

const idleSince = (before: Counts, now: Counts): string[] =>
  workerNames.flatMap(placesOf).filter((place) => (now.get(place) ?? 0) <= (before.get(place) ?? 0))
