import { setTimeout as delay } from 'node:timers/promises'
import type { FaultEvent } from './history.ts'
import { dermsOperations, type FaultStep, type TargetFault } from './plan-faults.ts'
import { usualLatencyMs, type World } from './world.ts'

export interface Faults {
  readonly events: readonly FaultEvent[]
  inflict(step: FaultStep): Promise<void>
}

/** Does to processes and targets what the plan says, and keeps a list of it. */
export function createFaults({ processes, redis, dacs, derms }: World): Faults {
  const events: FaultEvent[] = []
  const say = (what: string) => events.push({ at: Date.now(), what })

  const inflict: Faults['inflict'] = async (step) => {
    switch (step.kind) {
      case 'kill': {
        say(`SIGKILL ${step.process}, down for ${step.downMs} ms`)
        await processes[step.process].kill()
        await delay(step.downMs)
        processes[step.process].start()
        return
      }
      case 'stop': {
        say(`SIGSTOP ${step.process} for ${step.stoppedMs} ms`)
        processes[step.process].signal('SIGSTOP')
        await delay(step.stoppedMs)
        processes[step.process].signal('SIGCONT')
        say(`SIGCONT ${step.process}`)
        return
      }
      case 'kill-redis': {
        const back = redis.crash(step.downMs)
        if (back === undefined) return
        say(`SIGKILL redis, down for ${step.downMs} ms`)
        await back
        say('redis is back')
        return
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
  return { events, inflict }
}
