import type { Notice } from '@tieline/contracts/notice'
import type { MailWindow } from '@tieline/journal/mail/windows'
import { downConnection } from './down.ts'

/**
 * The window in which an e-mail is joined with others of its kind; undefined when it goes out by itself. All failures of a
 * connection that is down are one kind, whatever their flow; others have flow, connection and code in common, the ends of files
 * their event.
 */
export function windowOf(notice: Notice, digestMinutes: number): MailWindow | undefined {
  const { kind, flow, code, connection, event, next, occurredAt, digest, refusal } = notice
  // Refusals at the door were joined where they happened.
  if (digest || refusal !== undefined || (kind !== 'error' && (kind !== 'process-complete' || event === undefined)))
    return undefined
  const window = { periodMs: digestMinutes * 60_000, entry: entryOf(notice) }
  const down = downConnection(notice)
  if (down !== undefined) {
    return {
      ...window,
      id: `down/${down}`,
      about: { kind, flow, next: saidBelow, occurredAt, code: 'connection-down', connection: down },
      flow,
      down: { connection: down, since: Date.parse(occurredAt) },
    }
  }
  const what = kind === 'error' ? [connection ?? '', code] : [event ?? '']
  return {
    ...window,
    id: [kind, flow, ...what].join('/'),
    about: {
      kind,
      flow,
      next: kind === 'error' ? `For each of them, as for the first: ${next}` : endsDiffer,
      occurredAt,
      code: kind === 'error' ? code : 'process-complete',
      ...(kind === 'error' && connection !== undefined && { connection }),
      ...(kind !== 'error' && { event }),
    },
  }
}

function entryOf({ flow, messageKey, file, summary, details, next, occurredAt }: Notice): MailWindow['entry'] {
  return {
    flow,
    summary,
    next,
    occurredAt,
    ...(messageKey !== undefined && { messageKey }),
    ...(file !== undefined && { file }),
    ...(details !== undefined && { details }),
  }
}

const saidBelow =
  'That depends on the flow; it is said with each below. An e-mail says when the connection works again.'

const endsDiffer =
  'How each of them ended is said below. About a bad end there is also an e-mail to the administrators.'
