import { setTimeout as delay } from 'node:timers/promises'
import type { Journal } from '@tieline/journal/journal'
import { showMessage } from '@tieline/journal/operations'
import { startRun } from '@tieline/journal/transfers/runs'
import { pauseSchedule } from '@tieline/journal/transfers/schedules'
import type { Callers } from './callers.ts'
import { type Canary, canaries, flowsOf } from './canaries.ts'
import type { Recovery } from './history.ts'
import { openMessages } from './look.ts'
import { keyOfTransfer, type ScorePlaces, transferNames, transferOf } from './score-places.ts'
import { type Told, toldBy } from './told.ts'
import { type ProcessName, serviceOf, type World, workerNames } from './world.ts'

/**
 * Beyond the last retry that the faults left behind. A job that BullMQ gave up because its workers crashed too often is missed
 * by the sweeper after 30 s.
 */
const settleWithinMs = 35_000
/** So long calls may go on that the faults made fail. */
const lastFailuresMs = 3_000
/** However far off a retry is: a run ends by itself. */
const waitAtMostMs = 150_000

/** The deadline for everything to be settled, as seen when the last faults have had their effect. */
export async function findDeadline(journal: Journal, faultsEndedAt: number): Promise<number> {
  await delay(lastFailuresMs)
  const retries = (await openMessages(journal)).flatMap(({ state, nextAt }) =>
    state === 'retrying' ? (nextAt ?? []) : [],
  )
  return Math.max(faultsEndedAt, ...retries) + settleWithinMs
}

/** Waits until nothing is open; the time when that was so, or undefined when it did not come. */
export function untilSettled(journal: Journal, deadline: number): Promise<number | undefined> {
  return until(deadline, async () => (await openMessages(journal)).length === 0)
}

async function until(deadline: number, isSo: () => Promise<boolean>): Promise<number | undefined> {
  const end = Math.min(deadline + 5_000, Date.now() + waitAtMostMs)
  while (Date.now() < end) {
    if (await isSo()) return Date.now()
    await delay(250)
  }
  return undefined
}

/**
 * Waits until each schedule has begun a run after the faults and no score file waits any more. Then the schedules are paused,
 * because with them there is always something open.
 * @returns the schedules that began no run
 */
export async function untilTransferred(
  journal: Journal,
  places: Pick<ScorePlaces, 'waiting'>,
  { faultsEndedAt, deadline }: Pick<Recovery, 'faultsEndedAt' | 'deadline'>,
): Promise<Recovery['idle']> {
  const silent = new Set(transferNames)
  await until(deadline, async () => {
    for (const name of silent) {
      const { timeline = [] } = (await showMessage(journal, keyOfTransfer(name))) ?? {}
      if (timeline.some(({ at, by }) => by === 'schedule' && at > faultsEndedAt)) silent.delete(name)
    }
    return silent.size === 0 && (await places.waiting()).length === 0
  })
  for (const name of transferNames) {
    await pauseSchedule(journal, transferOf(name), { who: 'chaos', why: 'the run is over' })
  }
  return [...silent].map((name) => `the schedule of ${name}`)
}

const canaryRounds = 25

/** Sends a canary of each flow, again and again until every worker process has settled one of each; names those that do not. */
export async function findIdle(
  world: World,
  journal: Journal,
  callers: Pick<Callers, 'send' | 'heardOf'>,
): Promise<Recovery['idle']> {
  const before = await countSettled(world)
  const complaints = new Set<string>()
  for (let round = 0; round < canaryRounds; round++) {
    const runs = transferNames.map((name) => startRun(journal, { transfer: transferOf(name), who: 'canary' }))
    for (const wave of canaries(round)) {
      const answers = await Promise.all(wave.map((canary) => sendCanary(canary, callers)))
      for (const complaint of answers.flat()) complaints.add(complaint)
    }
    await Promise.all(runs)
    await untilSettled(journal, Date.now() + 10_000)
    const idle = idleSince(before, await countSettled(world))
    if (complaints.size > 0 || idle.length === 0) return [...complaints, ...idle]
  }
  return [...complaints, ...idleSince(before, await countSettled(world))]
}

/** @returns what is wrong with its answer */
async function sendCanary(canary: Canary, { send, heardOf }: Pick<Callers, 'send' | 'heardOf'>): Promise<string[]> {
  let answer = await send(canary.message, 0)
  // On a busy machine a result may take longer than a caller is let wait.
  for (let again = 0; again < repeatsMax && comesAgain(toldBy(answer)); again++) {
    await delay(500)
    answer = await send(canary.message, 0)
  }
  const told = toldBy(answer)
  if (told !== canary.told) return [`a canary of ${answer.flow} was told ${told}; it`]
  if (canary.heard === undefined) return []
  const heard = await heardOf(answer)
  return heard === canary.heard ? [] : [`a canary of ${answer.flow} was acknowledged ${heard}; it`]
}

const repeatsMax = 10
const comesAgain = (told: Told) => told === 'provisional' || told === 'nothing'

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

const placesOf = (name: ProcessName) => flowsOf(serviceOf(name)).map((flow) => `${name}: ${flow}`)

const idleSince = (before: Counts, now: Counts): string[] =>
  workerNames.flatMap(placesOf).filter((place) => (now.get(place) ?? 0) <= (before.get(place) ?? 0))
