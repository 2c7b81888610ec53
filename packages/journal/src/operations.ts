import { randomUUID } from 'node:crypto'
import { type FlowId, flowIds } from '@tieline/contracts/flows'
import { openPayload, readPayload } from './files/stored-payload.ts'
import { effectContext, faultsContext, type Journal } from './journal.ts'
import { enqueueDue } from './kernel/due-messages.ts'
import { type EffectSummary, readEffect, readEffects, summarizeEffect } from './kernel/effects.ts'
import { readPins } from './kernel/pins.ts'
import { readReason } from './reason.ts'
import { type State, states } from './schema.ts'
import { type MessageSummary, summarize } from './summaries.ts'
import type { RowFault } from './types.ts'

export { listMessages } from './message-list.ts'
export { type MessageSummary, summarize }

export interface TimelineEntry {
  readonly at: number
  readonly what: string
  readonly [detail: string]: unknown
}

export interface MessageDetails extends MessageSummary {
  /** Why it did not succeed, in the words of the e-mail about it. */
  readonly reason?: string
  readonly timeline: readonly TimelineEntry[]
  readonly effects: readonly EffectSummary[]
}

export interface Operator {
  readonly who: string
  readonly why: string
}

/** Why an operator's wish was not carried out. */
export type Refusal = 'unknown-message' | 'open' | 'settled' | 'not-dead' | 'not-failed' | 'payload-trimmed'

export type Done = { readonly kind: 'ok'; readonly generation?: number } | { readonly kind: Refusal }

/** Keys of the messages that carry a search term, or the message key itself. */
export async function findMessages(journal: Journal, term: string): Promise<string[]> {
  const keys = new Set(await journal.redis.hkeys(`${journal.base}:i:${term.toLowerCase()}`))
  if (await journal.redis.exists(`${journal.base}:m:${term}`)) keys.add(term)
  return [...keys].sort()
}

/** The record, its time line and its effects. */
export async function showMessage(journal: Journal, key: string): Promise<MessageDetails | undefined> {
  const [summary] = await summarize(journal, [key])
  if (!summary) return undefined
  const reason = await readReason(journal, key)
  return {
    ...summary,
    ...(reason !== undefined && { reason }),
    timeline: await readTimeline(journal, summary),
    effects: await readEffects(journal, key),
  }
}

/** How a message came here. What its record implies is not stored: that it was accepted for the first time. */
async function readTimeline({ redis, base }: Journal, message: MessageSummary): Promise<TimelineEntry[]> {
  const stored = await redis.lrange(`${base}:t:${message.key}`, 0, -1)
  const entries = stored.map((entry) => JSON.parse(entry) as TimelineEntry)
  const [first] = entries
  if (first?.what === 'accepted' && first.generation === 1) return entries
  const accepted = { at: message.firstAcceptedAt, what: 'accepted', generation: 1 }
  return [message.client === 'tieline' ? accepted : { ...accepted, client: message.client }, ...entries]
}

/** How many messages of each flow are in each state, and when the oldest open one was accepted. */
export async function countMessages(journal: Journal): Promise<FlowCounts[]> {
  const seen = await journal.redis.hgetall(`${journal.base}:workers`)
  return Promise.all(
    flowIds.map(async (flow) => {
      const pipeline = journal.redis.pipeline()
      for (const state of states) pipeline.zcard(`${journal.base}:s:${flow}:${state}`)
      pipeline.zrange(`${journal.base}:o:${flow}`, '0', '0', 'WITHSCORES')
      const answers = ((await pipeline.exec()) ?? []).map(([error, value]) => {
        if (error) throw error
        return value
      })
      const counts = Object.fromEntries(states.map((state, i) => [state, Number(answers[i])])) as Record<State, number>
      const [, oldestOpenAt] = answers[states.length] as string[]
      return {
        flow,
        counts,
        ...(oldestOpenAt !== undefined && { oldestOpenAt: Number(oldestOpenAt) }),
        ...(seen[flow] !== undefined && { workerSeenAt: Number(seen[flow]) }),
      }
    }),
  )
}

export interface FlowCounts {
  readonly flow: FlowId
  readonly counts: Readonly<Record<State, number>>
  readonly oldestOpenAt?: number
  readonly workerSeenAt?: number
}

export interface Rerun extends Operator {
  /** Makes every call anew. */
  readonly fromStart?: boolean
  /** Only if it is a dead letter: its resubmission, the same thing as Bull Board's retry of its job. */
  readonly onlyDead?: boolean
  /** Only if it is a dead letter or was refused. */
  readonly onlyFailed?: boolean
  /** Also if the target has answered a later message of its line. */
  readonly force?: boolean
}

/** Runs a settled message again: a new generation that sends what is not confirmed. */
export async function rerunMessage(journal: Journal, key: string, how: Rerun): Promise<Done> {
  const run = randomUUID()
  const answer = await journal.run('rerun', { ...how, key, run })
  if (answer.kind !== 'ok') return answer
  if (answer.enqueue) await enqueueDue(journal, [], { key, flow: answer.flow, run })
  if (answer.ticket) await journal.queues.remove(answer.flow, answer.ticket)
  return { kind: 'ok', generation: answer.generation }
}

/**
 * Says who is about to retry the job of a dead letter or of a refused message, so that the audit can name somebody: a retried job itself says
 * nothing of it.
 */
export async function nameResubmitter(journal: Journal, keys: readonly string[], who: string): Promise<void> {
  const failed = (await summarize(journal, keys)).filter(({ state }) => state === 'dead' || state === 'refused')
  await Promise.all(failed.map(({ key }) => journal.redis.hset(`${journal.base}:m:${key}`, 'resubmitter', who)))
}

/** Gives a dead letter up, or with `orRefused` a refused message. */
export async function discardDeadLetter(
  journal: Journal,
  key: string,
  { who, why }: Operator,
  orRefused = false,
): Promise<Done> {
  const answer = await journal.run('discard', { key, who, why, orRefused })
  if (answer.kind !== 'ok') return answer
  await journal.queues.remove(answer.flow, answer.ticket)
  return { kind: 'ok' }
}

export interface AuditEntry {
  readonly at: number
  readonly who: string
  readonly what: string
  readonly key: string
  readonly why: string
}

/** Notes what an operator did elsewhere than in a script of the journal. */
export async function noteAction(
  { redis, base, clock }: Pick<Journal, 'redis' | 'base' | 'clock'>,
  { who, what, key, why = '' }: Pick<AuditEntry, 'who' | 'what' | 'key'> & Partial<Pick<AuditEntry, 'why'>>,
): Promise<void> {
  await redis.xadd(`${base}:audit`, '*', 'at', clock(), 'who', who, 'what', what, 'key', key, 'why', why)
}

/** Who did what to which message and why, the latest first. */
export async function readAudit(journal: Journal, limit = 100): Promise<AuditEntry[]> {
  const entries = await journal.redis.xrevrange(`${journal.base}:audit`, '+', '-', 'COUNT', limit)
  return entries.map(([, flat]) => {
    const fields = new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as const] : [])))
    const text = (name: string) => fields.get(name) ?? ''
    return { at: Number(text('at')), who: text('who'), what: text('what'), key: text('key'), why: text('why') }
  })
}

/** The payload as it was received. It may hold personal data: callers show it to nobody without the right. */
export async function readStoredPayload(journal: Journal, key: string): Promise<unknown> {
  const reference = await journal.redis.hget(`${journal.base}:m:${key}`, 'payloadRef')
  const sealed = reference ? null : await journal.redis.getBuffer(`${journal.base}:p:${key}`)
  return !reference && sealed === null ? undefined : readPayload(journal, key, sealed, reference ?? '')
}

/** What the file of a message can be searched by, see `files/keep-index.ts`. Undefined when there is none (yet). */
export async function openIndex(journal: Journal, key: string): Promise<AsyncIterable<Buffer> | undefined> {
  const reference = await journal.redis.hget(`${journal.base}:m:${key}`, 'indexRef')
  return reference ? openPayload(journal, reference) : undefined
}

export interface MessageFile {
  /** @throws TielineError `payload-trimmed` or `payload-unreadable` */
  open(): AsyncIterable<Buffer>
  /** Choices that the processor fixed, see `Attempt.pin`. */
  readonly pins: Readonly<Record<string, string>>
  /** The first rows that were left out when the message settled. They may name codes of rows. */
  readonly faults: readonly RowFault[]
  readonly effects: ReadonlyMap<string, EffectSummary>
  /** What was kept of a confirmed or refused call. */
  effectResult(id: string): unknown
}

/** The file of a message with what is known of its rows. Undefined when there is no such message or it has no file. */
export async function readMessageFile(journal: Journal, key: string): Promise<MessageFile | undefined> {
  const record = `${journal.base}:m:${key}`
  const names = ['fileRef', 'pins', 'keptPins', 'faults'] as const
  const [reference, pins, keptPins, faults] = await journal.redis.hmget(record, ...names)
  if (reference === null || reference === undefined) return undefined
  const stored = Object.entries(await journal.redis.hgetall(`${journal.base}:e:${key}`))
  const effects = new Map(stored.map(([id, effect]) => [id, readEffect(effect)]))
  return {
    open: () => openPayload(journal, reference),
    pins: { ...readPins(pins), ...readPins(keptPins) },
    faults: faults ? (JSON.parse(journal.sealer.open(faults, faultsContext(key))) as RowFault[]) : [],
    effects: new Map([...effects].map(([id, effect]) => [id, summarizeEffect(id, effect)])),
    effectResult(id) {
      const result = effects.get(id)?.result
      return result === undefined ? undefined : JSON.parse(journal.sealer.open(String(result), effectContext(key, id)))
    },
  }
}
