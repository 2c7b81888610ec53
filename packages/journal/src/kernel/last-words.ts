import { type CallFacts, type FailingMessage, unreadableNotice } from '@tieline/contracts/notice-words'
import { backoff, callOf, TielineError } from '@tieline/runtime/error'
import type { Journal } from '../journal.ts'
import type { Attempt, Settlement } from '../types.ts'

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

/** What an e-mail tells of the call that failed. */
export function callFacts(error: TielineError): CallFacts {
  const call = callOf(error)
  return {
    ...(call && { connection: call.connection }),
    ...(call?.status !== undefined && { httpStatus: call.status }),
    ...(call?.farText !== undefined && { details: call.farText }),
  }
}

/** What e-mails about a failure are worded from. */
export const wordsOf = (
  { flow, key, number }: Pick<Attempt, 'flow' | 'key' | 'number'>,
  error: TielineError,
  now: number,
): FailingMessage => ({
  flow,
  key,
  attempts: number,
  code: error.code,
  message: error.message,
  call: callFacts(error),
  now,
})

/** For messages that cannot even be read: nobody can be answered, so people are told. */
export const lastResort = (attempt: Attempt, error: TielineError, now: number): Settlement => ({
  state: 'dead',
  outcome: 'FAILURE',
  code: error.code,
  // No mail about a mail.
  notices: attempt.flow === 'notification' ? [] : [unreadableNotice(wordsOf(attempt, error, now))],
})
