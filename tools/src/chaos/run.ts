import { setTimeout as delay } from 'node:timers/promises'
import { startRun } from '@tieline/journal/transfers/runs'
import { missingOf } from './amounts.ts'
import { createCallers } from './callers.ts'
import { createFaults } from './faults.ts'
import type { History, Recovery } from './history.ts'
import { allMessages, openForLooking, recordAll } from './look.ts'
import { runOutages } from './outages.ts'
import { createPlan, type PutStep, type RunStep, type SendStep, type Step } from './plan.ts'
import type { FaultStep } from './plan-faults.ts'
import type { PlantName } from './plant-names.ts'
import { findDeadline, findIdle, untilSettled, untilTransferred } from './recovery.ts'
import { keyOfTransfer, transferNames, transferOf } from './score-places.ts'
import { followTimelines } from './timelines.ts'
import { processNames, startWorld, type World } from './world.ts'

export interface ChaosOptions {
  readonly seed: number
  /** How long messages are sent and faults inflicted; on a busy machine longer, until the run has its amounts. */
  readonly minutes: number
  readonly logFile: string
  /** Name of a bug to plant. */
  readonly plant?: PlantName | undefined
  /** Ends the faults early; what was sent is judged all the same. */
  readonly signal?: AbortSignal
}

export interface ChaosRun {
  readonly history: History
  /** Processes that ended although nobody killed them. */
  readonly crashes: number
}

/** How long a run may go on for the sake of its amounts; one that is shorter than usual is not meant to have them. */
const minutesAtMost = (minutes: number) => (minutes < 1 ? minutes : 3 * minutes)

/**
 * Sends messages and puts files through real processes while it kills, stops and disturbs them as the seed says, lets everything
 * recover, and tells what happened. It ends by itself a few minutes after the faults at most, and touches only what it started.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosRun> {
  await using world = await startWorld(options)
  await world.ready()
  const callers = createCallers(world.ingressUrl, world.derms)
  const faults = createFaults(world)
  await using looking = await openForLooking(world.env)
  const { journal } = looking
  await using timelines = followTimelines(journal, transferNames.map(keyOfTransfer))

  const outages = runOutages(world, { journal, callers, say: faults.say })

  const hasAmounts = async () => {
    // Where Redis is away nobody can count.
    const messages = await allMessages(journal).catch(() => [])
    const { received: dacs } = world.dacs
    const { received: derms } = world.derms
    return missingOf({ messages, dacs, derms, faults: faults.events }).length === 0
  }
  const leastMs = options.minutes * 60_000
  const mostMinutes = minutesAtMost(options.minutes)
  const { acts, inflictions } = await follow(createPlan(options.seed, mostMinutes), {
    signal: options.signal,
    mostMs: mostMinutes * 60_000,
    isEnough: async (ms) => ms >= leastMs && (await hasAmounts()),
    send: callers.act,
    put: world.places.put,
    run: ({ transfer }) =>
      startRun(journal, { transfer: transferOf(transfer), who: 'chaos' }).then(
        () => undefined,
        // Whoever asks for a run while Redis is away asks again later.
        () => undefined,
      ),
    inflict: faults.inflict,
  })
  const bulks = await outages
  callers.calm()
  faults.end()
  for (const link of Object.values(world.links)) link.heal()
  await Promise.all(inflictions)
  world.dacs.heal()
  world.derms.heal()
  const faultsEndedAt = Date.now()

  const deadline = await findDeadline(journal, faultsEndedAt)
  await Promise.all(acts)
  const silent = await untilTransferred(journal, world.places, { faultsEndedAt, deadline })
  const settledAt = await untilSettled(journal, deadline)
  const idle = await notReady(world).then((names) => (names.length > 0 ? names : findIdle(world, journal, callers)))
  // What the canaries sent settles as well.
  await untilSettled(journal, Date.now() + 15_000)

  const recovery: Recovery = {
    faultsEndedAt,
    deadline,
    idle: [...silent, ...idle],
    ...(settledAt !== undefined && { settledAt }),
  }
  return {
    history: {
      sent: callers.sent,
      dacs: [...world.dacs.received, ...world.outage.simulator.received].sort((a, b) => a.at - b.at),
      derms: [...world.derms.received],
      puts: world.places.puts,
      found: await world.places.found(),
      messages: await recordAll(journal, await timelines.read()),
      faults: faults.events,
      bulks,
      recovery,
    },
    crashes: processNames.reduce((sum, name) => sum + world.processes[name].crashes(), 0),
  }
}

const notReady = (world: World): Promise<string[]> =>
  world.ready().then(
    () => [],
    (error: unknown) => [`a process that is not ready (${String(error)})`],
  )

interface Actors {
  readonly signal: AbortSignal | undefined
  /** It ends then, whatever is left of the plan. */
  readonly mostMs: number
  /** Asked about once a second. @param ms of the plan that have passed */
  readonly isEnough: (ms: number) => Promise<boolean>
  readonly send: (step: SendStep) => Promise<void>
  readonly put: (step: PutStep) => Promise<void>
  readonly run: (step: RunStep) => Promise<void>
  readonly inflict: (step: FaultStep) => Promise<void>
}

/** So many callers are busy at most. */
const busyMax = 200

/**
 * Takes each step at its time without waiting for what it begins. Time stands still while too many callers are busy, so that a
 * slow machine gets the same work, and not more at a time than it can do.
 */
async function follow(plan: readonly Step[], { signal, mostMs, isEnough, send, put, run, inflict }: Actors) {
  const startedAt = performance.now()
  const realMs = () => performance.now() - startedAt
  const acts: Promise<void>[] = []
  const inflictions: Promise<void>[] = []
  let busy = 0
  let stoodStillMs = 0
  let askAtMs = 0
  for (const step of plan) {
    const inMs = step.atMs + stoodStillMs - realMs()
    await delay(Math.max(inMs, 0), undefined, { signal }).catch(() => undefined)
    if (signal?.aborted || realMs() >= mostMs) break
    if (step.atMs >= askAtMs) {
      askAtMs = step.atMs + 1_000
      if (await isEnough(step.atMs)) break
    }
    switch (step.kind) {
      case 'send': {
        const fullAt = realMs()
        while (busy >= busyMax && realMs() < mostMs) await delay(20)
        stoodStillMs += realMs() - fullAt
        busy += 1
        acts.push(send(step).finally(() => (busy -= 1)))
        break
      }
      case 'put':
        acts.push(put(step))
        break
      case 'run':
        acts.push(run(step))
        break
      default:
        inflictions.push(inflict(step))
    }
  }
  return { acts, inflictions }
}
