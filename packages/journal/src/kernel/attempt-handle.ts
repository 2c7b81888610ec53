import type { Journal } from '../journal.ts'
import type { Taken } from '../script-calls.ts'
import type { WorkerMetrics } from '../worker-metrics.ts'

/** Not a failure: the message goes on at `untilMs`. */
export class Postponed extends Error {
  readonly untilMs: number
  constructor(untilMs: number) {
    super('Postponed')
    this.name = 'Postponed'
    this.untilMs = untilMs
  }
}

export interface AttemptHandle {
  readonly journal: Journal
  readonly key: string
  readonly run: string
  readonly token: string
  readonly taken: Taken
  readonly signal: AbortSignal
  readonly metrics: WorkerMetrics
  /** For so long after it was asked for, the right to make a call is relied on. */
  readonly freshMs: number
}
