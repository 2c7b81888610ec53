import type { InboundFlowId } from '@tieline/contracts/flows'
import type { MessageDetails } from '@tieline/journal/operations'
import type { ReceivedCall } from '@tieline/simulators/far-side'

/** One request of a caller and what it was told. */
export interface Sent {
  readonly flow: InboundFlowId
  /** The journal's name of the message. */
  readonly key: string
  readonly body: unknown
  /** Of an event file: its content. */
  readonly content?: string
  /** Hash of body and content: equal for a repeat, different for a changed payload. */
  readonly version: string
  /** Milliseconds since 1970, as every time here. */
  readonly at: number
  /** Missing, like the two below, when there was no answer. */
  answeredAt?: number
  status?: number
  reply?: unknown
}

/** One call that a simulator received, in order of arrival. */
export type Call = Pick<ReceivedCall, 'operation' | 'path' | 'body' | 'at' | 'answered' | 'applied'>

/** A message as the journal has it at the end. */
export interface Recorded extends MessageDetails {
  /** Its place in the order of first acceptance. */
  readonly seq: number
  /** The payload of the last generation. */
  readonly payload: unknown
  /** The file of the last generation. */
  readonly content?: string
}

/** A score file that was put where a transfer looks for it. */
export interface Put {
  /** Key of the message of the transfer. */
  readonly transfer: string
  readonly name: string
  readonly sha256: string
  /** The journal's name of the intention to send this version of the file. */
  readonly effect: string
  readonly at: number
}

/** A file that is there in the end. */
export interface Found {
  readonly transfer: string
  readonly name: string
  readonly sha256: string
}

export interface FaultEvent {
  readonly at: number
  readonly what: string
}

/** Dead letters that an operator resubmitted together. */
export interface Bulk {
  readonly at: number
  readonly keys: readonly string[]
}

/** What became of the look at the whole installation after the faults. */
export interface Recovery {
  readonly faultsEndedAt: number
  /** Until then everything had to be settled: the faults' end, or the last retry that was due by then, and 35 s. */
  readonly deadline: number
  /** Missing when it was not. */
  readonly settledAt?: number
  /** For every worker process and flow that took no message afterwards: which one. */
  readonly idle: readonly string[]
}

/** All that can be known about a run; the judges look at nothing else. */
export interface History {
  readonly sent: readonly Sent[]
  readonly dacs: readonly Call[]
  readonly derms: readonly Call[]
  readonly puts: readonly Put[]
  readonly found: readonly Found[]
  readonly messages: readonly Recorded[]
  readonly faults: readonly FaultEvent[]
  readonly bulks: readonly Bulk[]
  readonly recovery: Recovery
}

export interface Violation {
  readonly what: string
  /** The messages it is about. */
  readonly keys: readonly string[]
}

/** One property, judged on a whole history. */
export type Judge = (history: History) => Violation[]
