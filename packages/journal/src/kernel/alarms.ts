import type { FlowSpec } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import { deniedNotice, stillFailingNotice } from '@tieline/contracts/notice-words'
import type { Retry, TielineError } from '@tieline/runtime/error'
import type { Attempt } from '../types.ts'
import { wordsOf } from './last-words.ts'

/** An e-mail about a message that is still being tried. */
export interface Alarm {
  /** Field of the record that says that people were told. `denied`: of a 401 or 403. */
  readonly mark: 'denied' | 'alarmed'
  readonly notice: Notice
}

/** What is known of the failures of a generation. Times in milliseconds since 1970. */
export interface Failing {
  readonly attempt: Pick<Attempt, 'flow' | 'key' | 'number'>
  readonly error: TielineError
  readonly spec: FlowSpec
  readonly failedSince: number
  readonly told: Readonly<Record<Alarm['mark'], boolean>>
  readonly now: number
}

/**
 * When to try again, in milliseconds since 1970; undefined when the flow gives up. The attempt that would come after the time of
 * the alarm comes at that time, so that an alarm tells of a failure that is seconds old.
 * @param failures how many there were before this one
 */
export function nextAttemptAt(failing: Failing, failures: number): number | undefined {
  const { error, spec, failedSince, now } = failing
  const delayMs = retryDelayMs(error.retry, failures, spec)
  if (delayMs === undefined || now + delayMs > failedSince + spec.retry.retryForS * 1_000) return undefined
  const alarmAt = alarmDueAt(failing)
  return error.retry.kind === 'backoff' && alarmAt > now ? Math.min(now + delayMs, alarmAt) : now + delayMs
}

/** The time of an alarm that was not raised yet. */
function alarmDueAt({ spec, failedSince, told }: Failing): number {
  const { alarmAfterS } = spec.retry
  return alarmAfterS === undefined || told.alarmed ? Number.POSITIVE_INFINITY : failedSince + alarmAfterS * 1_000
}

/**
 * What people are told now. A target that refuses our login refuses it to all messages until somebody mends it, so that is told
 * at once. A target that asks to be left alone for longer than twice the time of the alarm is told now too.
 */
export function alarmOf(failing: Failing, nextAt: number): Alarm | undefined {
  const { error, spec, failedSince, told, now } = failing
  if (spec.retry.alarmAfterS === undefined) return undefined
  const isDenied = error.code === 'target-unauthorized' || error.code === 'target-forbidden'
  if (isDenied && !told.denied) return { mark: 'denied', notice: deniedNotice(trying(failing, nextAt)) }
  const alarmAt = alarmDueAt(failing)
  const isDue = now >= alarmAt || nextAt - failedSince > 2 * (alarmAt - failedSince)
  return isDue ? { mark: 'alarmed', notice: stillFailingNotice(trying(failing, nextAt)) } : undefined
}

const trying = ({ attempt, error, spec, failedSince, now }: Failing, nextAt: number) => ({
  ...wordsOf(attempt, error, now),
  failedSince,
  nextAt,
  until: failedSince + spec.retry.retryForS * 1_000,
})

/** Milliseconds until the next attempt, or undefined when there shall be none. A fifth of jitter keeps herds apart. */
function retryDelayMs(
  retry: Retry,
  failures: number,
  { retry: schedule }: Pick<FlowSpec, 'retry'>,
): number | undefined {
  switch (retry.kind) {
    case 'never':
      return undefined
    case 'after':
      return retry.delayMs
    case 'backoff':
      return Math.round(
        Math.min(schedule.firstDelayMs * 2 ** failures, schedule.capDelayMs) * (0.8 + Math.random() * 0.2),
      )
  }
}
