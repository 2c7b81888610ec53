import type { FlowSpec } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { backoff, CallError, TielineError } from '@tieline/runtime/error'
import type { Journal } from './journal.ts'
import type { Attempt, Settlement } from './types.ts'

/** Whatever else a processor throws is a mistake of ours: tried again, and logged without its text. */
export function toTielineError(error: unknown, journal: Journal, key: string): TielineError {
  if (error instanceof TielineError) return error
  journal.logger.error({ err: withoutMessage(error), key }, 'Unexpected error in a processor')
  return new TielineError('internal', backoff, 'Unexpected error', { cause: error })
}

/** The text of an unexpected error may quote a payload; where it happened does not. */
export function withoutMessage(error: unknown): { name: string; frames: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, frames: [] }
  return { name: error.name, frames: (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) }
}

const callFacts = (error: TielineError) => ({
  ...(error instanceof CallError && { connection: error.connection }),
  ...(error instanceof CallError && error.status !== undefined && { httpStatus: error.status }),
})

/** The e-mail about a message that keeps failing and is still being tried. */
export const stillFailing = (attempt: Attempt, error: TielineError, spec: FlowSpec, now: number): Notice => ({
  kind: 'error',
  flow: attempt.flow,
  messageKey: attempt.key,
  code: 'still-failing',
  summary: `${spec.title} has been failing for ${Math.round((spec.retry.alarmAfterS ?? 0) / 60)} minutes: ${error.message}.`,
  attempts: attempt.number,
  occurredAt: new Date(now).toISOString(),
  next: 'Tieline goes on trying; a last e-mail follows if it gives up.',
  ...callFacts(error),
})

/** For messages that cannot even be read: nobody can be answered, so people are told. */
export const lastResort = (attempt: Attempt, error: TielineError, now: number): Settlement => ({
  state: 'dead',
  outcome: 'FAILURE',
  code: error.code,
  // No mail about a mail.
  notices:
    attempt.flow === 'notification'
      ? []
      : [
          {
            kind: 'error',
            flow: attempt.flow,
            messageKey: attempt.key,
            code: error.code,
            summary: `${attempt.flow} could not be worked on: ${error.message}.`,
            attempts: attempt.number,
            occurredAt: new Date(now).toISOString(),
            next: 'Nothing happens by itself: mend the cause, then resubmit the dead letter.',
            ...callFacts(error),
          },
        ],
})
