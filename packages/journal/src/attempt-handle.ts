import type { FlowId } from '@tieline/contracts/flows'
import type { Journal } from './journal.ts'
import type { WorkerMetrics } from './worker-metrics.ts'

/** The attempt must not write any more: `superseded` by a newer payload, `stale` because another worker took over. */
export class AttemptLost extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(`The attempt lost its message: ${reason}`)
    this.name = 'AttemptLost'
    this.reason = reason
  }
}

/** Not a failure: the message goes on at `untilMs`. */
export class Postponed extends Error {
  readonly untilMs: number
  constructor(untilMs: number) {
    super('Postponed')
    this.name = 'Postponed'
    this.untilMs = untilMs
  }
}

/** What the take script tells about the message; see `lua/take.lua`. */
export interface Taken {
  readonly flow: FlowId
  readonly instance: string
  readonly id: string
  readonly client: string
  readonly generation: number
  readonly number: number
  readonly failures: number
  readonly failedSince: number
  /** Whether people were told of it in this generation, see `Alarm`. */
  readonly alarmed: boolean
  readonly denied: boolean
  readonly division: string
  readonly acceptedAt: number
  readonly payloadRef: string
  /** A later message of the line was answered before this repeat could run. */
  readonly overtaken: boolean
  /** Absent: the message has no file. Empty: it is no longer kept. */
  readonly fileRef?: string
  readonly fileName?: string
  readonly fileBytes: number
  readonly fileSha256?: string
  /** `traceparent` of what brought the message here. */
  readonly trace?: string
  /** Choices of attempts before, as JSON; only the attempt that holds the message adds to them. */
  readonly pins?: string
  readonly keptPins?: string
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
