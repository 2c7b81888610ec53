import type { FlowId } from '@tieline/contracts/flows'
import type { ScriptName } from './schema.ts'

/** The next run of a message: a job has to be added for it. */
export interface Run {
  readonly key: string
  readonly flow: FlowId
  readonly run: string
}

/** Of another message, whose turn it is. */
interface Moved {
  readonly moved?: Run
}

/** A message that the script creates, see `create` in `kernel/lua/library/generations.lua`. */
export interface CreatedFields {
  readonly key: string
  readonly flow: FlowId
  readonly instance: string
  readonly id: string
  readonly client: string
  readonly hash: string
  readonly run: string
  readonly terms: readonly string[]
  readonly line?: string
  readonly follows?: string
  readonly division?: string | undefined
  readonly payloadRef?: string
  readonly fileRef?: string
  readonly fileName?: string
  readonly fileBytes?: number
  readonly fileSha256?: string
  readonly acknowledges?: string
  readonly trace?: string | undefined
}

/** Messages that become due with it; their sealed payloads are the blobs from the second on. */
export interface MakesDue {
  readonly due?: readonly (CreatedFields & { readonly code?: string })[]
}

/** How a call on a target ended, see `keepOutcome` in `kernel/lua/library/effects.lua`. */
export interface EndedCall {
  readonly effect: string
  readonly call: string
  readonly state: 'confirmed' | 'refused' | 'failed' | 'unknown'
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly ms?: number | undefined
  /** Sealed. */
  readonly result?: string | undefined
  readonly down: boolean
  readonly quiet: boolean
}

/** What scripts of an attempt have in common: who writes, and what rides with it. */
export interface Held {
  readonly key: string
  readonly run: string
  readonly token: string
  readonly ended?: readonly EndedCall[]
  readonly pins?: Readonly<Record<string, string>>
  readonly keptPins?: Readonly<Record<string, string>>
}

/** The attempt must not write any more. */
export type Lost = { readonly kind: 'gone' | 'stale' | 'superseded' }
type Ok = { readonly kind: 'ok' }

interface OfMessage {
  readonly key: string
}
interface ByOperator {
  readonly who: string
  readonly why?: string | undefined
}

/** What the take script tells about the message of an attempt. */
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
  readonly division?: string
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

/** What the accept script decided. */
export interface Decision {
  readonly kind: 'new' | 'again' | 'changed' | 'attached' | 'replayed'
  readonly generation: number
  readonly acceptedAt: number
  /** Whose job there must be, if any. */
  readonly run?: string
  /** When a worker of the flow gave its last sign, if that was asked for. */
  readonly seen?: number
  readonly reply?: string
  readonly withdrawn?: string
  readonly moved?: Run
  /** `traceparent` of the request before this one. */
  readonly trace?: string
  /** References of stored payloads that no record holds any more. */
  readonly unused?: readonly string[]
}

type NotRerun = { readonly kind: 'unknown-message' | 'open' | 'not-dead' | 'not-failed' | 'payload-trimmed' }
type NotDiscarded = { readonly kind: 'unknown-message' | 'not-dead' | 'not-failed' }

interface KernelCalls {
  accept: {
    args: CreatedFields & {
      readonly unnamed?: boolean
      readonly seen: boolean
      readonly answers?: readonly string[] | undefined
      readonly answersFlow?: FlowId | undefined
      readonly answersKeys?: readonly string[] | undefined
    }
    answer: Decision | { readonly kind: 'gone' } | { readonly kind: 'overtaken' }
  }
  take: {
    args: OfMessage & {
      readonly run: string
      readonly token: string
      /** BullMQ's counts of the job: how often it was started, and how many failures were filed. */
      readonly started: number
      readonly made: number
      readonly lookups: number
      readonly refuseOvertaken?: boolean | undefined
    }
    answer:
      | (Taken & { readonly kind: 'attempt'; readonly blob: Buffer | null })
      | (Moved & { readonly kind: 'surplus' })
      | { readonly kind: 'behind' }
      | { readonly kind: 'ticket'; readonly code: string }
  }
  begin: {
    args: Held &
      Pick<EndedCall, 'effect' | 'call' | 'quiet'> & { readonly operation: string; readonly connection: string }
    answer:
      | { readonly kind: 'kept'; readonly state: 'confirmed' | 'refused'; readonly result?: string }
      | { readonly kind: 'send'; readonly unknown: boolean; readonly tries: number }
      | Lost
  }
  outcome: { args: Held; answer: Ok | Lost }
  settle: {
    args: Held &
      MakesDue & {
        readonly state: 'succeeded' | 'refused' | 'dead' | 'superseded'
        readonly outcome: string
        readonly code?: string | undefined
        readonly made: number
        readonly terms?: readonly string[]
        readonly rows?: string
        readonly files?: string
        readonly faults?: string
        readonly reason?: string
      }
    /** `acknowledged`: it was an acknowledgment, and the sender of the file has taken it for the first time. */
    answer: (Ok & Moved & { readonly acknowledged?: { readonly flow: FlowId; readonly afterMs: number } }) | Lost
  }
  retry: {
    args: Held &
      MakesDue & { readonly nextAt: number; readonly code?: string | undefined; readonly mark?: string | undefined }
    answer: (Ok & Moved) | Lost
  }
  yield: { args: OfMessage & { readonly run: string }; answer: Ok & Moved }
  revive: { args: OfMessage & { readonly run: string }; answer: Ok & Moved }
  restamp: { args: OfMessage & { readonly from: string; readonly delayMs: number }; answer: Ok }
  rerun: {
    args: OfMessage &
      ByOperator & {
        readonly run: string
        readonly fromStart?: boolean
        readonly onlyDead?: boolean
        readonly onlyFailed?: boolean
        readonly force?: boolean
      }
    answer:
      | (Ok & {
          readonly flow: FlowId
          readonly ticket?: string
          readonly enqueue: boolean
          readonly generation: number
        })
      | NotRerun
  }
  discard: {
    args: OfMessage & ByOperator & { readonly orRefused?: boolean }
    answer: (Ok & { readonly flow: FlowId; readonly ticket: string }) | NotDiscarded
  }
  abort: {
    args: OfMessage & ByOperator & MakesDue & { readonly run: string; readonly generation: number }
    answer:
      | (Ok & Moved & { readonly held: boolean; readonly withdrawn?: string })
      | { readonly kind: 'unknown-message' | 'settled' }
      | { readonly kind: 'moved-on' }
  }
  collect: {
    args: OfMessage &
      (
        | { readonly generation: number; readonly how: 'provisional' | 'hung-up' }
        | (MakesDue & { readonly overdue: true })
      )
    answer: { readonly kind: 'ok' | 'moved-on' | 'notified' | 'nothing-to-tell' }
  }
  trim: {
    args: OfMessage & { readonly from: string; readonly before: number; readonly payloadOnly: boolean }
    answer: Ok & { readonly unused?: readonly string[]; readonly ticket?: string; readonly flow?: FlowId }
  }
  note: { args: Held & { readonly entry: object }; answer: Ok | Lost }
}

interface TransferCalls {
  'start-run': {
    args: CreatedFields & {
      readonly who: string
      readonly why?: string | undefined
      readonly whole: boolean
      readonly notBefore?: number | undefined
    }
    answer:
      | { readonly kind: 'started'; readonly generation: number; readonly ticket?: string }
      | { readonly kind: 'served' }
      | { readonly kind: 'busy'; readonly since: number }
  }
  record: {
    args: Held & MakesDue & { readonly field: string; readonly forget?: string | undefined }
    answer: Ok | Lost
  }
  forget: { args: Held & { readonly effects: readonly string[] }; answer: Ok | Lost }
  pause: { args: OfMessage & ByOperator & { readonly name: string; readonly paused: boolean }; answer: Ok }
}

interface WindowArguments {
  readonly window: string
  readonly periodMs: number
  readonly about: object
  readonly namedMax: number
}

interface MailCalls {
  'join-window': {
    args: Held &
      WindowArguments & {
        readonly flow?: string
        readonly down?: { readonly connection: string; readonly since: number }
      }
    answer: { readonly kind: 'opened' | 'joined' } | Lost
  }
  'close-window': {
    args: MakesDue & {
      readonly window: string
      readonly since: number
      readonly count: number
      readonly flows: Readonly<Record<string, number>>
      readonly named: number
      readonly ends: boolean
    }
    answer: { readonly kind: 'due' | 'changed' }
  }
  notify: {
    args: MakesDue & {
      readonly once?: { readonly name: string; readonly keepMs: number }
      readonly missed?: string
    }
    answer: { readonly kind: 'due' | 'known' }
  }
  reached: { args: { readonly connection: string }; answer: Ok }
  recover: {
    args: MakesDue & { readonly connection: string; readonly since: number }
    answer: { readonly kind: 'due' | 'changed' }
  }
}

interface RefusalCalls {
  refuse: {
    args: { readonly flow: FlowId; readonly keepMs: number; readonly countMax: number } & (
      | (MakesDue &
          WindowArguments & {
            readonly id: string
            readonly client: string
            readonly status: number
            readonly code: string
            readonly facts: string
            readonly bytesMax: number
            readonly more: number
          })
      | { readonly id?: undefined }
    )
    answer: { readonly kind: 'kept' | 'due' }
  }
  dismiss: { args: OfMessage & ByOperator; answer: { readonly kind: 'ok' | 'unknown-message' | 'not-failed' } }
}

interface FileCalls {
  'keep-index': { args: Held & { readonly reference: string }; answer: Ok | Lost }
}

type AllCalls = KernelCalls & TransferCalls & MailCalls & RefusalCalls & FileCalls

/** What each script is given and what it answers. */
export type ScriptCalls = { readonly [Name in ScriptName]: AllCalls[Name] }
