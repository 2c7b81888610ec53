import type { Notice } from '@tieline/contracts/notice'
import { type MailWindow, saysDown } from '@tieline/journal/mail-windows'

/**
 * The window in which an e-mail is joined with others of its kind; undefined when it goes out by itself. Failures of one kind
 * have flow, connection and code in common, the ends of files their event.
 */
export function windowOf(notice: Notice, digestMinutes: number): MailWindow | undefined {
  const { kind, flow, code, connection, event, messageKey, file, summary, next, occurredAt, digest, refusal } = notice
  // Refusals at the door were joined where they happened.
  if (digest || refusal !== undefined || (kind !== 'error' && (kind !== 'process-complete' || event === undefined)))
    return undefined
  const what = kind === 'error' ? [connection ?? '', code] : [event ?? '']
  return {
    id: [kind, flow, ...what].join('/'),
    periodMs: digestMinutes * 60_000,
    about: {
      kind,
      flow,
      next: kind === 'error' ? `For each of them, as for the first: ${next}` : endsDiffer,
      occurredAt,
      code: kind === 'error' ? code : 'process-complete',
      ...(kind === 'error' && connection !== undefined && { connection }),
      ...(kind !== 'error' && { event }),
    },
    entry: {
      summary,
      occurredAt,
      ...(messageKey !== undefined && { messageKey }),
      ...(file !== undefined && { file }),
    },
    ...(kind === 'error' &&
      connection !== undefined &&
      saysDown(notice) && { down: { connection, since: Date.parse(occurredAt) } }),
  }
}

const endsDiffer =
  'How each of them ended is said below. About a bad end there is also an e-mail to the administrators.'
