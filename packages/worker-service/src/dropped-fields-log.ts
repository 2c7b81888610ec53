import type { FlowId } from '@tieline/contracts/flows'
import type { Logger } from '@tieline/runtime/logger'
import type { LeniencyMetrics } from './leniency-metrics.ts'

interface Deps {
  readonly counter: LeniencyMetrics['dropped']
  readonly logger: Pick<Logger, 'warn'>
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** Their names are the sender's words, so only so many are told, and only names. */
const placesMax = 200
const name = /^[A-Za-z_][\w-]{0,63}$/

const dayMs = 86_400_000

/** Counts fields that a flow leaves out, and says so once for each path and day: one under another name must not be lost silently. */
export function createDroppedFieldsLog({ counter, logger, clock }: Deps) {
  const lastDays = new Map<string, number>()

  const placeOf = (flow: FlowId, path: string): string => {
    if (!path.split('.').every((part) => name.test(part.replaceAll('[]', '')))) return 'other'
    return lastDays.has(`${flow} ${path}`) || lastDays.size < placesMax ? path : 'other'
  }

  return (flow: FlowId, paths: readonly string[]): void => {
    for (const given of paths) {
      const path = placeOf(flow, given)
      counter.inc({ flow, path })
      const day = Math.floor(clock() / dayMs)
      if (lastDays.get(`${flow} ${path}`) === day) continue
      lastDays.set(`${flow} ${path}`, day)
      logger.warn({ flow, path }, `A field that ${flow} does not know was left out: ${path}`)
    }
  }
}
