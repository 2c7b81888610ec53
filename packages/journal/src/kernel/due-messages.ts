import { createHash, randomUUID } from 'node:crypto'
import type { Acknowledgment } from '@tieline/contracts/acknowledgment'
import type { FlowId } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import type { Span } from '@tieline/runtime/telemetry'
import { type Journal, payloadContext } from '../journal.ts'
import type { CreatedFields, MakesDue, Run, Taken } from '../script-calls.ts'
import type { Settlement } from '../types.ts'
import type { Blob } from './scripts.ts'

/** A run that Tieline begins by itself. */
export interface Begun extends Run {
  /** Ends when its job has been added; what was not made due after all is not told. */
  readonly begun?: Span
}

/**
 * Something that is due because of a message: a message of its own, created by the script that makes it due, retried and kept
 * like any other.
 */
export interface DueMessage extends Begun {
  readonly sealed: Buffer
  readonly fields: CreatedFields & { readonly code?: string }
}

/** How a script is given what becomes due with it: as an argument, and as blobs after its own. */
export const dueFields = (due: readonly DueMessage[]): MakesDue => ({ due: due.map(({ fields }) => fields) })
export const dueBlobs = (due: readonly DueMessage[], own: Blob = ''): Blob[] => [
  own,
  ...due.map(({ sealed }) => sealed),
]

/** @param occasion as for `noticeMessage` */
export const prepareDue = (
  journal: Journal,
  of: Pick<Taken, 'id' | 'generation' | 'failedSince'> & { readonly key: string },
  { notices = [], acknowledgment }: Pick<Settlement, 'notices' | 'acknowledgment'>,
  occasion: number | string = of.generation,
): DueMessage[] => [
  ...notices.map((notice) => noticeMessage(journal, { ...sinceOf(of.failedSince, notice), ...notice }, occasion)),
  ...(acknowledgment === undefined ? [] : [acknowledgmentMessage(journal, of, acknowledgment)]),
]

const sinceOf = (failedSince: number, { kind, file }: Notice): Pick<Notice, 'since'> =>
  failedSince > 0 && kind === 'error' && file === undefined ? { since: new Date(failedSince).toISOString() } : {}

/**
 * A due e-mail.
 * @param occasion tells it from others with the same code about the same message: mostly the generation
 * @param cause `traceparent` of what it is about; the attempt that is going on unless told
 */
export const noticeMessage = (
  journal: Journal,
  notice: Notice,
  occasion: number | string,
  cause?: string,
): DueMessage => {
  const { flow, messageKey, kind, code, file } = notice
  // What a target said is kept only where somebody wants it in e-mails.
  const kept = journal.mailDetails ? notice : { ...notice, details: undefined }
  return dueMessage(journal, 'notification', kept, {
    aboutFlow: flow,
    reason: [messageKey, occasion, kind, code, ...(file === undefined ? [] : [file])].join('#'),
    terms: messageKey === undefined ? [] : [messageKey],
    more: { code },
    cause,
  })
}

/** The acknowledgment of one generation of an event file. */
export const acknowledgmentMessage = (
  journal: Journal,
  file: { readonly key: string; readonly id: string; readonly generation: number },
  acknowledgment: Acknowledgment,
): DueMessage =>
  dueMessage(journal, 'acknowledgment', acknowledgment, {
    aboutFlow: acknowledgment.flow,
    reason: `${file.key}#${file.generation}`,
    terms: [file.key, file.id],
    more: { acknowledges: file.key },
  })

interface Origin {
  readonly aboutFlow: string
  /** The key derives from it, so that a repeated script makes no second message. */
  readonly reason: string
  readonly terms: readonly string[]
  readonly more: Pick<DueMessage['fields'], 'code' | 'acknowledges'>
  readonly cause?: string | undefined
}

function dueMessage(
  journal: Journal,
  flow: FlowId,
  payload: unknown,
  { aboutFlow, reason, terms, more, cause }: Origin,
): DueMessage {
  const id = createHash('sha256').update(reason).digest('hex').slice(0, 24)
  const key = `${flow}.${aboutFlow}.${id}`
  const run = randomUUID()
  const begun = beginTrace(journal, flow, key, cause)
  return {
    key,
    flow,
    run,
    begun,
    sealed: journal.sealer.sealBytes(JSON.stringify(payload), payloadContext(key)),
    fields: {
      key,
      flow,
      instance: aboutFlow,
      id,
      client: 'tieline',
      hash: id,
      run,
      terms: terms.map((term) => term.toLowerCase()),
      trace: begun.traceparent,
      ...more,
    },
  }
}

/** What Tieline begins by itself has a trace of its own; it and the trace of what caused it point to each other. */
export const beginTrace = ({ tracer }: Pick<Journal, 'tracer'>, flow: FlowId, key: string, cause?: string): Span =>
  tracer.start(`begin ${flow}`, {
    kind: 'producer',
    links: [cause ?? tracer.current()?.traceparent],
    attributes: { 'tieline.flow': flow, 'tieline.message.key': key },
  })

/** A job that cannot be added now is added by the sweeper. */
export async function enqueueDue(journal: Journal, due: readonly Begun[], moved?: Run): Promise<void> {
  const runs = moved ? [...due, moved] : due
  for (const added of await Promise.allSettled(runs.map((run) => journal.queues.add(run)))) {
    if (added.status === 'rejected') journal.logger.warn({ err: added.reason }, 'Could not enqueue; the sweeper will')
  }
  for (const { begun } of due) {
    journal.tracer.current()?.link(begun?.traceparent)
    begun?.end()
  }
}
