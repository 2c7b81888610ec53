import type { FlowSpec } from '@tieline/contracts/flows'
import type { Notice } from '@tieline/contracts/notice'
import type { Retry, TielineError } from '@tieline/runtime/error'
import { callFacts } from './last-words.ts'
import type { Attempt } from './types.ts'

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
  if (isDenied && !told.denied) return { mark: 'denied', notice: denied(failing, nextAt) }
  const alarmAt = alarmDueAt(failing)
  const isDue = now >= alarmAt || nextAt - failedSince > 2 * (alarmAt - failedSince)
  return isDue ? { mark: 'alarmed', notice: stillFailing(failing, nextAt) } : undefined
}

const denied = (failing: Failing, nextAt: number): Notice => ({
  ...trying(failing, nextAt),
  code: failing.error.code,
  summary: `${failing.spec.title}: ${failing.error.message}.`,
  next: 'Until the login is mended, nothing gets through; one call a minute tries. Tieline goes on trying; another e-mail follows if it gives up.',
})

const stillFailing = (failing: Failing, nextAt: number): Notice => ({
  ...trying(failing, nextAt),
  code: 'still-failing',
  cause: failing.error.code,
  summary: `${failing.spec.title} has been failing for ${wordSeconds((failing.now - failing.failedSince) / 1_000)}: ${failing.error.message}.`,
  next: 'Tieline goes on trying; another e-mail follows if it gives up.',
})

const trying = ({ attempt, error, spec, failedSince, now }: Failing, nextAt: number) =>
  ({
    kind: 'error',
    flow: attempt.flow,
    messageKey: attempt.key,
    attempts: attempt.number,
    occurredAt: new Date(now).toISOString(),
    trying: {
      again: new Date(nextAt).toISOString(),
      until: new Date(failedSince + spec.retry.retryForS * 1_000).toISOString(),
    },
    ...callFacts(error),
  }) as const

function wordSeconds(seconds: number): string {
  const [count, unit] = seconds < 60 ? [seconds, 'second'] : [seconds / 60, 'minute']
  const rounded = Math.round(count)
  return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`
}

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
