import { setTimeout as delay } from 'node:timers/promises'
import { createCallers } from './callers.ts'
import { createFaults } from './faults.ts'
import type { History, Recovery } from './history.ts'
import { openForLooking, recordAll } from './look.ts'
import { createPlan, type Step } from './plan.ts'
import { findDeadline, findIdle, untilSettled } from './recovery.ts'
import { processNames, startWorld, type World } from './world.ts'

export interface ChaosOptions {
  readonly seed: number
  /** How long messages are sent and faults inflicted. */
  readonly seconds: number
  readonly messagesPerSecond: number
  readonly logFile: string
  /** Ends the faults early; what was sent is judged all the same. */
  readonly signal?: AbortSignal
}

export interface ChaosRun {
  readonly history: History
  /** Processes that ended although nobody killed them. */
  readonly crashes: number
}

/**
 * Sends messages through real processes while it kills, stops and disturbs them as the seed says, lets everything recover,
 * and tells what happened. It ends by itself about a minute after the faults, and touches only what it started.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosRun> {
  await using world = await startWorld(options.logFile)
  await world.ready()
  const callers = createCallers(world.ingressUrl)
  const faults = createFaults(world)

  const { acts, inflictions } = await follow(createPlan(options.seed, options.seconds, options.messagesPerSecond), {
    signal: options.signal,
    act: callers.act,
    inflict: faults.inflict,
  })
  callers.calm()
  await Promise.all(inflictions)
  world.dacs.heal()
  world.derms.heal()
  const faultsEndedAt = Date.now()

  await using looking = await openForLooking(world.env)
  const { journal } = looking
  const deadline = await findDeadline(journal, faultsEndedAt)
  await Promise.all(acts)
  const settledAt = await untilSettled(journal, deadline)
  const idle = await notReady(world).then((names) => (names.length > 0 ? names : findIdle(world, callers)))
  // What the canaries sent settles as well.
  await untilSettled(journal, Date.now() + 15_000)

  const recovery: Recovery = { faultsEndedAt, deadline, idle, ...(settledAt !== undefined && { settledAt }) }
  return {
    history: {
      sent: callers.sent,
      dacs: [...world.dacs.received],
      derms: [...world.derms.received],
      messages: await recordAll(journal),
      faults: faults.events,
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
  readonly act: (step: Extract<Step, { kind: 'send' }>) => Promise<void>
  readonly inflict: (step: Exclude<Step, { kind: 'send' }>) => Promise<void>
}

/** Takes each step at its time without waiting for what it begins. */
async function follow(plan: readonly Step[], { signal, act, inflict }: Actors) {
  const startedAt = performance.now()
  const acts: Promise<void>[] = []
  const inflictions: Promise<void>[] = []
  for (const step of plan) {
    await delay(Math.max(step.atMs - (performance.now() - startedAt), 0), undefined, { signal }).catch(() => undefined)
    if (signal?.aborted) break
    if (step.kind === 'send') acts.push(act(step))
    else inflictions.push(inflict(step))
  }
  return { acts, inflictions }
}
