import type { Acknowledgment } from '@tieline/contracts/acknowledgment'
import type { FailureCode } from '@tieline/contracts/failures'
import type { FileTotals } from '@tieline/contracts/file-totals'
import type { FlowId } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import type { RowTotals } from '@tieline/contracts/row-totals'
import type { CallResult, CallTarget } from '@tieline/runtime/call-target'
import type { CallError, TielineError } from '@tieline/runtime/error'
import type { KeptPayload } from './files/payloads.ts'
import type { Journal } from './journal.ts'
import type { EffectSummary } from './kernel/effects.ts'
import type { Pen } from './kernel/pen.ts'

/** The word the sender was told, or would have been told: `ackType` of DERMS' acknowledgment. */
export type Outcome = 'SUCCESS' | 'ERROR' | 'FAILURE'

/** The HTTP answer of an awaited flow. It is stored with the message, so that a repeat gets the same. */
export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** What the ingress hands over: one message, parsed as JSON but not yet against its contract. */
export interface Incoming {
  readonly flow: FlowId
  /** `<flow>.<instance>.<id>`, see contracts `identity.ts`. */
  readonly key: string
  readonly instance: string
  readonly id: string
  /** Its sender gave it no id: `id` is its hash, and the same content later in its line may be meant anew. */
  readonly unnamed?: true
  /** Name of the authenticated client. */
  readonly client: string
  readonly payload: unknown
  /** SHA-256 of the canonical raw JSON, hex. */
  readonly hash: string
  /** Messages with the same line run one after another. */
  readonly line?: string
  /** The line of another flow, see `FlowSpec.follows`. */
  readonly follows?: string
  /** The file that came with the message; its content is part of `hash`. */
  readonly file?: KeptFile
  /** What the message can be found by: messageIds, dacsMessageId, eventId, stageId, enrollmentId, nicId. */
  readonly terms: readonly string[]
  /** Routing key of DACS' messages; their acknowledgments are routed by it too. */
  readonly division?: string
  /** Acknowledges these correlation ids: the messages of these flows that carry them are answered, so their replay window ends. */
  readonly answers?: {
    readonly flow: FlowId
    readonly terms: readonly string[]
    /** Only these of them, of a client that may not answer all. */
    readonly keys?: readonly string[]
  }
}

/** A file in the payload store. */
export interface KeptFile extends KeptPayload {
  /** As its sender calls it. */
  readonly name: string
}

export type Acceptance =
  /**
   * `new`: first sight. `again`, `changed`: a new generation of a settled message. `attached`: the same message is being
   * worked on, one run serves both callers.
   */
  | {
      readonly kind: 'new' | 'again' | 'changed' | 'attached'
      readonly key: string
      readonly generation: number
      /** When the generation was accepted, in milliseconds since 1970. */
      readonly acceptedAt: number
      /** When a worker of the flow gave its last sign; 0: never. */
      readonly workerSeenAt: number
    }
  /** It succeeded before: the stored reply, without a target call. */
  | { readonly kind: 'replayed'; readonly key: string; readonly generation: number; readonly reply: Reply | undefined }

/** How a message ends. */
export interface Settlement {
  readonly state: 'succeeded' | 'refused' | 'dead' | 'superseded'
  readonly outcome: Outcome
  /** Awaited flows only. */
  readonly reply?: Reply
  /** Why it did not succeed. */
  readonly code?: FailureCode
  /** The same in words: of the error that ended it, unless told. It may name a code of the message, so it is kept encrypted. */
  readonly reason?: string
  /** E-mails that are due because of it. */
  readonly notices?: readonly Notice[]
  /** What the sender of an event file is to be told. */
  readonly acknowledgment?: Acknowledgment
  /** What became of the rows of its file. */
  readonly rows?: RowTotals
  /** What became of the files of a transfer. */
  readonly files?: FileTotals
  /** The first rows that were left out, and why. */
  readonly faults?: readonly RowFault[]
  /** More search terms, such as the enrollment ids that DACS gave. */
  readonly terms?: readonly string[]
}

/** A row of a file that was left out. Rows are counted from 1, without the header. */
export interface RowFault {
  readonly row: number
  /** Field and rule. It may name a code of the row, so it is kept encrypted. */
  readonly rule: string
}

/** The file of a message. */
export interface AttemptFile {
  readonly name: string
  readonly bytes: number
  /** SHA-256, hex. */
  readonly sha256: string
  /** Reads it from the start. @throws TielineError `payload-unreadable`, also in the middle */
  open(): AsyncIterable<Buffer>
}

export interface CallOptions<Result extends CallResult, Kept> {
  /** What to keep of a success. It is stored encrypted and returned again instead of a second call. */
  readonly keep?: (result: Result) => Kept
  /** What to keep of a refusal, and to return in place of the error. */
  readonly keepRefusal?: (error: CallError) => Kept
  /** What to keep when an error says that the target has applied the call all the same. */
  readonly applied?: (error: CallError) => Kept | undefined
  /** One of very many: it is not on the time line. */
  readonly quiet?: boolean
}

export interface PinOptions {
  /** The ids of effects depend on the choice (a segment size): it stays for as long as the effects of the message do. */
  readonly keep?: boolean
}

/**
 * One attempt at a message: what a processor works with. Every write of it is fenced by the attempt's token. What only some flows
 * need are functions on an attempt: `mail/windows.ts`, `transfers/recorded.ts`, `files/keep-index.ts`.
 */
export interface Attempt {
  readonly journal: Journal
  readonly pen: Pen
  readonly key: string
  readonly flow: FlowId
  readonly instance: string
  readonly id: string
  /** Name of the client that sent it. */
  readonly client: string
  readonly generation: number
  /** 1 for the first attempt of this generation. */
  readonly number: number
  /** The payload as received: parse it with the flow's contract. */
  readonly payload: unknown
  readonly file: AttemptFile | undefined
  readonly division: string | undefined
  /** When this generation was accepted, milliseconds since 1970. */
  readonly acceptedAt: number
  /** When the first attempt of this generation failed; 0: none did. */
  readonly failedSince: number
  /** Aborted when the attempt lost its message or the service stops: start nothing new. */
  readonly signal: AbortSignal
  /**
   * Makes one intended call on a target at most once as far as anybody can know: a confirmed or refused one is not made
   * again in this generation, a failed or unknown one is. No signal goes with it: a stop waits for calls in flight, because a
   * broken one leaves an unknown outcome behind.
   * @param id names the intention; stable over attempts
   * @throws CallError for every way not to succeed; AttemptLost
   */
  call<Operation extends string, Request, Result extends CallResult, Kept = undefined>(
    id: string,
    target: CallTarget<Operation, Request, Result>,
    operation: Operation,
    request: Request,
    options?: CallOptions<Result, Kept>,
  ): Promise<Kept>
  /** The effects that are known of, also of earlier generations. */
  effects(): Promise<readonly EffectSummary[]>
  /** Adds to the time line. Codes, counts and names only: it is not encrypted. */
  note(entry: { readonly what: string; readonly [detail: string]: string | number | boolean }): Promise<void>
  /** Fixes a choice (a connection) for the rest of the generation. */
  pin(name: string, choose: () => string | Promise<string>, options?: PinOptions): Promise<string>
  /** Leaves the message until then; not a failure and not counted as one. Returns never: it throws. */
  postpone(untilMs: number): never
}

/** One flow's work: map, deliver, acknowledge. `Tables` is the snapshot of the lookups that the attempt reads. */
export interface Processor<Tables> {
  readonly flow: FlowId
  /** @throws TielineError with its retry decision; anything else is tried again as an internal error */
  process(attempt: Attempt, tables: Tables): Promise<Settlement>
  /** Called when trying ends: the error allows no retry, or the flow's time is over. Makes no target calls. */
  giveUp(attempt: Attempt, error: TielineError, tables: Tables): Settlement
  /** `giveUp` can do without a payload, so it is called for one that cannot be read too. Else people are told, and nobody else. */
  readonly givesUpUnread?: boolean
}
