import { setTimeout as delay } from 'node:timers/promises'
import type { FaultEvent } from './history.ts'
import { dermsOperations, type FaultStep, type KillStep, type TargetFault } from './plan-faults.ts'
import { type ProcessName, usualLatencyMs, type World } from './world.ts'

export interface Faults {
  readonly events: readonly FaultEvent[]
  /** Puts something on the list that somebody else does. */
  say(what: string): void
  inflict(step: FaultStep): Promise<void>
  /** Nothing that still waits for its turn happens any more. */
  end(): void
}

/** So long a kill waits for its victim to serve; one that stands still is killed too. */
const serveWithinMs = 5_000

/** Does to processes and targets what the plan says, and keeps a list of it. */
export function createFaults({ processes, serves, redis, links, dacs, derms }: World): Faults {
  const events: FaultEvent[] = []
  const say = (what: string) => void events.push({ at: Date.now(), what })
  const over = new AbortController()
  const turns = new Map<string, Promise<void>>()

  /** On a busy machine a start takes long: a victim is killed when it has served for a while, or kills would prove nothing. */
  const inTurn = ({ kind, atMs: _, ...step }: KillStep, kill: () => Promise<void>) => {
    const victim = 'process' in step ? step.process : kind
    const turn = (turns.get(victim) ?? Promise.resolve()).then(async () => {
      if ('process' in step) await untilServing(step.process)
      await delay(step.servedMs, undefined, { signal: over.signal }).catch(() => undefined)
      if (!over.signal.aborted) await kill()
    })
    turns.set(victim, turn)
    return turn
  }
  const untilServing = async (name: ProcessName) => {
    const end = Date.now() + serveWithinMs
    while (!over.signal.aborted && Date.now() < end && !(await serves(name))) await delay(100)
  }

  const inflict: Faults['inflict'] = async (step) => {
    switch (step.kind) {
      case 'kill':
        return inTurn(step, async () => {
          const killedAt = Date.now()
          if (await processes[step.process].kill())
            events.push({ at: killedAt, what: `SIGKILL ${step.process}, down for ${step.downMs} ms` })
          await delay(step.downMs)
          processes[step.process].start()
        })
      case 'stop': {
        say(`SIGSTOP ${step.process} for ${step.stoppedMs} ms`)
        processes[step.process].signal('SIGSTOP')
        await delay(step.stoppedMs)
        processes[step.process].signal('SIGCONT')
        say(`SIGCONT ${step.process}`)
        return
      }
      case 'kill-redis':
        return inTurn(step, async () => {
          say(`SIGKILL redis, down for ${step.downMs} ms`)
          await redis.crash(step.downMs)
          say('redis is back')
        })
      case 'stop-redis': {
        say(`SIGSTOP redis for ${step.stoppedMs} ms`)
        return redis.stop(step.stoppedMs)
      }
      case 'disturb': {
        const { kind, ...how } = step.disturbance
        say(`network to ${step.link}: ${kind} ${JSON.stringify(how)}`)
        return links[step.link].disturb(step.disturbance)
      }
      default:
        await inflictOnTarget(step)
    }
  }

  const inflictOnTarget = async (step: TargetFault) => {
    const { operation } = step
    const target = dermsOperations.includes(operation) ? derms : dacs
    switch (step.kind) {
      case 'apply-then-drop':
        say(`${operation}: apply then drop, ${step.times}x`)
        return target.applyThenDrop({ operation, times: step.times })
      case 'drop-before':
        say(`${operation}: drop before, ${step.times}x`)
        return target.dropBefore({ operation, times: step.times })
      case 'fail':
        say(`${operation}: ${step.status}${step.apply ? ' after applying' : ''}, ${step.times}x`)
        return target.failNext({ operation, status: step.status, apply: step.apply, times: step.times })
      case 'latency':
        say(`${operation}: ${step.ms} ms latency for ${step.forMs} ms`)
        target.latency({ operation, ms: step.ms })
        await delay(step.forMs)
        return target.latency({ operation, ms: usualLatencyMs })
    }
  }
  return { events, say, inflict, end: () => over.abort() }
}
