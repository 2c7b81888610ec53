import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FlowId } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { type Answer, CallError, never, TielineError } from '@tieline/runtime/error'
import { collectMs } from './intake.ts'
import { dayMs, effectContext, type Journal, payloadContext, replyContext, watchMs } from './journal.ts'
import { type NoticeMessage, noticeMessage } from './notices.ts'
import type { Run } from './queues.ts'
import { isPassing, type ScriptName } from './scripts.ts'
import type { Attempt, EffectCall, EffectResult, Settlement } from './types.ts'

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
  readonly generation: number
  readonly number: number
  readonly failures: number
  readonly failedSince: number
  readonly alarmed: boolean
  readonly division: string
  readonly acceptedAt: number
  readonly payloadRef: string
  /** A later message of the line was answered before this repeat could run. */
  readonly overtaken: boolean
}

export interface AttemptHandle {
  readonly journal: Journal
  readonly key: string
  readonly run: string
  readonly token: string
  readonly taken: Taken
  readonly signal: AbortSignal
}

export interface OpenAttempt extends Attempt {
  /** Ends the generation. `made` is BullMQ's count of the job's filed failures, see `lua/take.lua`. */
  settle(settlement: Settlement, made: number): Promise<void>
  /** Ends the attempt; with an error code it counts as a failure. */
  retryAt(untilMs: number, code?: string, notices?: readonly Notice[]): Promise<void>
}

export function createAttempt(handle: AttemptHandle, payload: unknown): OpenAttempt {
  const { journal, key, run, token, taken, signal } = handle
  let answered = false

  const fenced = async (script: ScriptName, named: object, blobs?: readonly string[]) =>
    whilePassing(signal, () => journal.run(script, { key, run, token, now: journal.clock(), watchMs, ...named }, blobs))
  const fencedJson = async <Shape extends { kind: string }>(
    script: ScriptName,
    named: object,
    blobs?: readonly string[],
  ) => {
    const answer = JSON.parse(String(await fenced(script, named, blobs))) as Shape
    if (['gone', 'stale', 'superseded'].includes(answer.kind)) throw new AttemptLost(answer.kind)
    return answer
  }
  const fencedOk = async (script: ScriptName, named: object, blobs?: readonly string[]) => {
    const answer = String(await fenced(script, named, blobs))
    if (answer !== 'ok') throw new AttemptLost(answer)
  }

  const keepOutcome = (effect: string, call: string, ended: Ended) => {
    const { kept, ...outcome } = ended
    const result =
      kept === undefined
        ? undefined
        : journal.sealer.seal(JSON.stringify(kept.value ?? null), effectContext(key, effect))
    return fencedOk('outcome', { effect, call, ...outcome, result })
  }

  async function effect<Result>(id: string, intended: EffectCall<Result>): Promise<EffectResult<Result>> {
    if (signal.aborted) throw new Postponed(journal.clock())
    const call = randomUUID()
    const { operation, connection } = intended
    const begun = await fencedJson<Begun>('begin', { effect: id, call, operation, connection })
    if (begun.kind === 'kept') {
      answered = true
      return {
        state: begun.state,
        result: JSON.parse(journal.sealer.open(begun.result, effectContext(key, id))) as Result,
      }
    }

    const ended = await makeCall(intended, begun.unknown)
    await keepOutcome(id, call, ended)
    // Where nobody knows, the target may have acted: an older message of the line must not follow.
    if (ended.state !== 'failed') answered = true
    if (ended.error) throw ended.error
    return { state: ended.state === 'confirmed' ? 'confirmed' : 'refused', result: ended.kept?.value as Result }
  }

  return {
    key,
    flow: taken.flow,
    instance: taken.instance,
    id: taken.id,
    generation: taken.generation,
    number: taken.number,
    payload,
    division: taken.division === '' ? undefined : taken.division,
    acceptedAt: taken.acceptedAt,
    signal,
    effect,

    note: (entry) => fencedOk('note', { entry }),

    async pin(name, choose) {
      const held = await fencedJson<{ kind: string; value?: string }>('pin', { name })
      if (held.value !== undefined) return held.value
      const chosen = await fencedJson<{ kind: string; value: string }>('pin', { name, value: choose() })
      return chosen.value
    },

    postpone(untilMs) {
      throw new Postponed(untilMs)
    },

    async findMessage(flow, term) {
      const keys = await journal.redis.smembers(`${journal.base}:i:${term.toLowerCase()}`)
      const pipeline = journal.redis.pipeline()
      for (const found of keys) pipeline.hmget(`${journal.base}:m:${found}`, 'flow', 'division', 'seq')
      const records = ((await pipeline.exec()) ?? []).map(([, fields], i) => ({
        key: keys[i] ?? '',
        fields: fields as (string | null)[],
      }))
      const newest = records
        .filter(({ fields }) => fields[0] === flow)
        .sort((a, b) => Number(b.fields[2]) - Number(a.fields[2]))[0]
      return newest && { key: newest.key, division: newest.fields[1] || undefined }
    },

    async settle(settlement, made) {
      const notices = prepareNotices(journal, taken, settlement.notices)
      const reply = settlement.reply ? journal.sealer.seal(JSON.stringify(settlement.reply), replyContext(key)) : ''
      const { state, outcome, code } = settlement
      const named = {
        state,
        outcome,
        code,
        made,
        answered,
        terms: (settlement.terms ?? []).map((term) => term.toLowerCase()),
        notices: notices.map((notice) => notice.fields),
        nextRun: randomUUID(),
        collectMs,
        retentionMs: journal.retention.messagesDays * dayMs,
      }
      const { moved } = await fencedJson<{ kind: string; moved?: Run }>('settle', named, [
        reply,
        ...notices.map((notice) => notice.sealed),
      ])
      await enqueueDue(journal, notices, moved)
    },

    async retryAt(untilMs, code, due = []) {
      const notices = prepareNotices(journal, taken, due)
      const named = { nextAt: untilMs, code, notices: notices.map((notice) => notice.fields) }
      await fencedOk('retry', named, ['', ...notices.map((notice) => notice.sealed)])
      await enqueueDue(journal, notices)
    },
  }
}

type Begun =
  | { kind: 'kept'; state: 'confirmed' | 'refused'; result: string }
  | { kind: 'send'; unknown: boolean; tries: number }

/** How a call ended; `error` when the message must deal with it. */
interface Ended {
  readonly state: 'confirmed' | 'refused' | 'failed' | 'unknown'
  readonly status?: number | undefined
  readonly code?: string
  readonly ms?: number
  readonly kept?: { readonly value: unknown }
  readonly error?: TielineError
}

async function makeCall<Result>(intended: EffectCall<Result>, unknownBefore: boolean): Promise<Ended> {
  let answer: Answer
  try {
    answer = await intended.call()
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return unsuccessful(intended, error, unknownBefore)
  }
  return {
    state: 'confirmed',
    status: answer.status,
    ms: answer.durationMs,
    kept: { value: intended.confirmed(answer) },
  }
}

function unsuccessful<Result>(intended: EffectCall<Result>, error: CallError, unknownBefore: boolean): Ended {
  const { code, outcome, status, durationMs: ms } = error
  if (outcome === 'refused' && !unknownBefore)
    return { state: 'refused', status, code, ms, kept: { value: intended.refused(error) } }
  if (outcome !== 'refused')
    return { state: outcome === 'failed' && unknownBefore ? 'unknown' : outcome, status, code, ms, error }
  // A refusal of a repeat says nothing about the first call: it may have been applied.
  const unclear = new CallError({
    code: 'outcome-unknown',
    retry: never,
    outcome: 'unknown',
    connection: error.connection,
    message: `${intended.operation} at ${error.connection}: refused a repeat, the outcome of an earlier call is unknown`,
    durationMs: ms,
    ...(status !== undefined && { status }),
  })
  return { state: 'unknown', status, code: unclear.code, ms, error: unclear }
}

/** Redis being full or failing over is waited for: what a target answered must get into the journal. */
async function whilePassing<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error
      await delay(250)
    }
  }
}

const prepareNotices = (journal: Journal, taken: Taken, notices: readonly Notice[] = []) =>
  notices.map((notice) => noticeMessage(journal, notice, taken.generation))

/** A job that cannot be added now is added by the sweeper. */
export async function enqueueDue(journal: Journal, notices: readonly NoticeMessage[], moved?: Run): Promise<void> {
  const runs: Run[] = notices.map(({ key, run }) => ({ key, run, flow: 'notification' }))
  if (moved) runs.push(moved)
  for (const added of await Promise.allSettled(runs.map((run) => journal.queues.add(run)))) {
    if (added.status === 'rejected') journal.logger.warn({ err: added.reason }, 'Could not enqueue; the sweeper will')
  }
}

/** Reads what the message carries. @throws TielineError `payload-unreadable` */
export async function readPayload(
  journal: Journal,
  key: string,
  sealed: string | null,
  reference: string,
): Promise<unknown> {
  const stored = reference === '' ? sealed : await journal.payloads.get(reference)
  if (stored === null) throw new TielineError('payload-trimmed', never, 'The payload is no longer kept')
  return JSON.parse(journal.sealer.open(stored, payloadContext(key)))
}
