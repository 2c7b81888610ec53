import { randomUUID } from 'node:crypto'
import type { Acknowledgment } from '@tieline/contracts/acknowledgment'
import { effectContext, type Journal, replyContext } from './journal.ts'
import { acknowledgmentMessage, dueBlobs, dueFields, enqueueDue } from './kernel/due-messages.ts'
import { readEffect } from './kernel/effects.ts'
import { type Operator, type Refusal, readStoredPayload } from './operations.ts'
import { openStates } from './schema.ts'
import { type MessageSummary, summarize } from './summaries.ts'
import type { Reply } from './types.ts'

/** A message that is about to be ended. */
export interface Aborted extends MessageSummary {
  /** As it was received; undefined when it cannot be read. */
  readonly payload: unknown
  /** What was kept of the calls that were confirmed or refused so far, by the ids of the effects. */
  readonly kept: ReadonlyMap<string, unknown>
}

/** What those who wait for the result of an ended message are told. */
export interface AbortWords {
  /** Awaited flows. */
  readonly reply?: Reply
  /** The sender of an event file. */
  readonly acknowledgment?: Acknowledgment
}

/** `held`: a worker had the message. A call that it was making at that moment may still arrive; it makes no other. */
export type AbortEnd = { readonly kind: 'ok'; readonly held: boolean } | { readonly kind: Refusal }

/** Ends an open message as `discarded`: no further call is made for it, its line goes on, and who waits for it is told. */
export async function abortMessage(
  journal: Journal,
  key: string,
  { who, why }: Operator,
  word: (message: Aborted) => AbortWords,
): Promise<AbortEnd> {
  const run = randomUUID()
  for (;;) {
    const [message] = await summarize(journal, [key])
    if (message === undefined) return { kind: 'unknown-message' }
    if (!openStates.some((state) => state === message.state)) return { kind: 'settled' }
    const { reply, acknowledgment } = word({ ...message, ...(await readMore(journal, key)) })
    const due = acknowledgment === undefined ? [] : [acknowledgmentMessage(journal, message, acknowledgment)]
    const sealed = reply ? journal.sealer.seal(JSON.stringify(reply), replyContext(key)) : ''
    const named = { key, generation: message.generation, who, why, run, ...dueFields(due) }
    const answer = await journal.run('abort', named, dueBlobs(due, sealed))
    // It was sent or run again while its words were being found.
    if (answer.kind === 'moved-on') continue
    if (answer.kind !== 'ok') return { kind: answer.kind }
    await enqueueDue(journal, due, answer.moved)
    if (answer.withdrawn) await journal.queues.remove(message.flow, answer.withdrawn)
    return { kind: 'ok', held: answer.held }
  }
}

async function readMore(journal: Journal, key: string): Promise<Pick<Aborted, 'payload' | 'kept'>> {
  const payload = await readStoredPayload(journal, key).catch(() => undefined)
  const stored = Object.entries(await journal.redis.hgetall(`${journal.base}:e:${key}`))
  const results = stored.map(([id, effect]) => [id, readEffect(effect).result] as const)
  const kept = results.filter(([, result]) => result !== undefined)
  return { payload, kept: new Map(kept.map(([id, result]) => [id, openKept(journal, key, id, String(result))])) }
}

function openKept(journal: Journal, key: string, id: string, sealed: string): unknown {
  try {
    const stored: unknown = JSON.parse(journal.sealer.open(sealed, effectContext(key, id)))
    // Version 0.1 stored what F1 keeps without saying that it was kept.
    return typeof stored === 'object' && stored !== null && 'kept' in stored ? stored.kept : stored
  } catch {
    return undefined
  }
}
