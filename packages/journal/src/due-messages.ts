import { createHash, randomUUID } from 'node:crypto'
import type { Acknowledgment } from '@tieline/contracts/acknowledgment'
import type { FlowId } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { type Journal, payloadContext } from './journal.ts'
import type { Run } from './queues.ts'

/**
 * Something that is due because of a message: a message of its own, created by the script that makes it due, retried and kept
 * like any other.
 */
export interface DueMessage extends Run {
  readonly sealed: string
  /** Arguments of the script, see `create` in the prelude. */
  readonly fields: object
}

/**
 * A due e-mail.
 * @param occasion tells it from others with the same code about the same message: mostly the generation
 */
export const noticeMessage = (journal: Journal, notice: Notice, occasion: number | string): DueMessage => {
  const { flow, messageKey, kind, code, file } = notice
  return dueMessage(journal, 'notification', notice, {
    aboutFlow: flow,
    reason: [messageKey, occasion, kind, code, ...(file === undefined ? [] : [file])].join('#'),
    terms: messageKey === undefined ? [] : [messageKey],
    more: { code },
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
  readonly more: object
}

function dueMessage(
  journal: Journal,
  flow: FlowId,
  payload: unknown,
  { aboutFlow, reason, terms, more }: Origin,
): DueMessage {
  const id = createHash('sha256').update(reason).digest('hex').slice(0, 24)
  const key = `${flow}.${aboutFlow}.${id}`
  const run = randomUUID()
  return {
    key,
    flow,
    run,
    sealed: journal.sealer.seal(JSON.stringify(payload), payloadContext(key)),
    fields: {
      key,
      flow,
      instance: aboutFlow,
      id,
      client: 'tieline',
      hash: id,
      run,
      terms: terms.map((term) => term.toLowerCase()),
      ...more,
    },
  }
}

/** A job that cannot be added now is added by the sweeper. */
export async function enqueueDue(journal: Journal, due: readonly Run[], moved?: Run): Promise<void> {
  const runs = moved ? [...due, moved] : due
  for (const added of await Promise.allSettled(runs.map((run) => journal.queues.add(run)))) {
    if (added.status === 'rejected') journal.logger.warn({ err: added.reason }, 'Could not enqueue; the sweeper will')
  }
}
