import type { FailureCode } from '@tieline/contracts/failures'
import type { FlowSpec } from '@tieline/contracts/flows'
import type { RowTotals } from '@tieline/contracts/row-totals'
import { never, TielineError } from '@tieline/runtime/error'
import type { Span } from '@tieline/runtime/telemetry'
import { readPayload } from '../files/stored-payload.ts'
import type { Journal } from '../journal.ts'
import type { Ends, JobAtHand, Ticket } from '../queues.ts'
import type { Taken } from '../script-calls.ts'
import type { Processor, Settlement } from '../types.ts'
import type { WorkerMetrics } from '../worker-metrics.ts'
import { alarmOf, nextAttemptAt } from './alarms.ts'
import { createAttempt, type OpenAttempt } from './attempt.ts'
import { Postponed } from './attempt-handle.ts'
import { enqueueDue } from './due-messages.ts'
import { lastResort, toTielineError, withoutMessage } from './last-words.ts'
import { AttemptLost } from './pen.ts'
import { JournalError } from './scripts.ts'

const done: Ends = { kind: 'done' }

/** When to look again whether the line that a message follows has been answered. */
const lookAgainMs = 1_000

export interface JobRun<Tables extends { readonly version: number }> {
  readonly journal: Journal
  readonly snapshot: () => Tables
  readonly processor: Processor<Tables>
  readonly metrics: WorkerMetrics
  readonly spec: FlowSpec
  readonly job: JobAtHand<Ticket>
  readonly signal: AbortSignal
  /** See `AttemptHandle`. */
  readonly freshMs: number
}

/** Takes the message of a job for one attempt and brings it to the attempt's end, whatever happens. */
export async function runJob<Tables extends { readonly version: number }>(context: JobRun<Tables>): Promise<Ends> {
  const { journal, job } = context
  try {
    return await attemptMessage(context)
  } catch (error) {
    if (error instanceof AttemptLost) return yieldMessage(context, error)
    // The journal could not be written: the record still says what is true, so the same run comes again, or that of the sweeper.
    const meta = { err: error, key: job.data.key }
    journal.logger.warn(meta, 'The journal is not available; the attempt will be taken again')
    return { kind: 'later', atMs: journal.clock() + 1_000 }
  }
}

async function attemptMessage<Tables extends { readonly version: number }>(context: JobRun<Tables>): Promise<Ends> {
  const { journal, snapshot, processor, spec, job, signal, freshMs } = context
  const { key } = job.data
  const tables = snapshot()
  const { run, token } = job
  const taken = await journal.run('take', {
    key,
    run,
    token,
    started: job.started,
    made: job.failuresFiled,
    lookups: tables.version,
    refuseOvertaken: spec.refuseOvertaken,
  })
  if (taken.kind === 'ticket') return { kind: 'failed', reason: taken.code }
  if (taken.kind === 'behind') return { kind: 'later', atMs: journal.clock() + lookAgainMs }
  if (taken.kind === 'surplus') {
    await enqueueDue(journal, [], taken.moved)
    return done
  }

  const handle = { journal, key, run, token, taken, signal, metrics: context.metrics, freshMs }
  const span = startSpan(context, taken)
  return journal.tracer.within(span, async () => {
    let attempt = createAttempt(handle, undefined)
    try {
      attempt = createAttempt(handle, await readPayload(journal, key, taken.blob, taken.payloadRef))
      if (taken.overtaken) throw overtaken()
      return await settle(context, attempt, await processor.process(attempt, tables))
    } catch (error) {
      if (error instanceof AttemptLost || error instanceof JournalError) {
        span.fail(error instanceof AttemptLost ? error.reason : 'store-unavailable')
        throw error
      }
      if (error instanceof Postponed) return await postpone(context, attempt, error)
      return await fail(context, attempt, taken, tables, toTielineError(error, journal, key))
    } finally {
      span.end()
    }
  })
}

const startSpan = <Tables extends { readonly version: number }>(
  { journal, job }: JobRun<Tables>,
  { flow, generation, number, trace }: Taken,
): Span =>
  journal.tracer.start(`attempt ${flow}`, {
    kind: 'consumer',
    parent: trace,
    attributes: {
      'tieline.flow': flow,
      'tieline.message.key': job.data.key,
      'tieline.generation': generation,
      'tieline.attempt': number,
    },
  })

async function postpone<Tables extends { readonly version: number }>(
  { metrics }: JobRun<Tables>,
  attempt: OpenAttempt,
  { untilMs }: Postponed,
): Promise<Ends> {
  await attempt.retryAt(untilMs)
  metrics.attempts.inc({ flow: attempt.flow, code: 'none' })
  return { kind: 'later', atMs: untilMs }
}

async function fail<Tables extends { readonly version: number }>(
  context: JobRun<Tables>,
  attempt: OpenAttempt,
  taken: Taken,
  tables: Tables,
  error: TielineError,
): Promise<Ends> {
  const { journal, spec } = context
  const now = journal.clock()
  const failing = { attempt, error, spec, failedSince: taken.failedSince || now, told: taken, now }
  const nextAt = nextAttemptAt(failing, taken.failures)
  if (nextAt !== undefined) {
    await attempt.retryAt(nextAt, error.code, alarmOf(failing, nextAt))
    countEnd(context, attempt, error.code)
    context.metrics.retried.inc({ flow: attempt.flow, code: error.code })
    journal.logger.warn(
      { key: attempt.key, code: error.code, delayMs: nextAt - now, attempt: attempt.number },
      `Will retry ${attempt.flow}: ${error.code}`,
    )
    return { kind: 'later', atMs: nextAt }
  }
  const isLost = attempt.payload === undefined && !context.processor.givesUpUnread
  const settlement = isLost ? lastResort(attempt, error, now) : giveUp(context, attempt, error, tables)
  const reason = settlement.reason ?? error.message
  const isOvertaken = error.code === 'superseded'
  return settle(context, attempt, { ...settlement, reason, ...(isOvertaken && { state: 'superseded' }) })
}

function giveUp<Tables extends { readonly version: number }>(
  { processor, journal }: JobRun<Tables>,
  attempt: OpenAttempt,
  error: TielineError,
  tables: Tables,
): Settlement {
  try {
    return processor.giveUp(attempt, error, tables)
  } catch (mistake) {
    journal.logger.error({ err: withoutMessage(mistake), key: attempt.key }, 'Could not word the end of a message')
    return lastResort(attempt, error, journal.clock())
  }
}

/** The span of the attempt says the same as its count. */
function countEnd<Tables extends { readonly version: number }>(
  { journal, metrics }: JobRun<Tables>,
  { flow }: OpenAttempt,
  code: FailureCode | undefined,
): void {
  metrics.attempts.inc({ flow, code: code ?? 'none' })
  if (code !== undefined) journal.tracer.current()?.fail(code)
}

async function settle<Tables extends { readonly version: number }>(
  context: JobRun<Tables>,
  attempt: OpenAttempt,
  settlement: Settlement,
): Promise<Ends> {
  const { journal, job, metrics } = context
  const { state, outcome, code, rows } = settlement
  await attempt.settle(settlement, job.failuresFiled)
  const { flow } = attempt
  countEnd(context, attempt, code)
  journal.tracer.current()?.set({ 'tieline.state': state, 'tieline.outcome': outcome })
  metrics.settled.inc({ flow, state, outcome })
  metrics.duration.observe({ flow }, Math.max(0, journal.clock() - attempt.acceptedAt) / 1_000)
  if (rows) for (const result of rowResults) metrics.rows.inc({ flow, result }, rows[result])
  const line = { key: attempt.key, state, outcome, code, attempt: attempt.number }
  if (state === 'succeeded') journal.logger.info(line, `Settled ${attempt.flow}: ${outcome}`)
  else journal.logger.error(line, `Settled ${attempt.flow}: ${outcome}, ${code ?? state}`)
  // Whatever somebody has to look at fails for BullMQ too, so that the board shows it as failed.
  return state === 'dead' || state === 'refused' ? { kind: 'failed', reason: code ?? 'internal' } : done
}

const rowResults = ['confirmed', 'refused', 'unknown', 'notSent'] as const satisfies readonly (keyof RowTotals)[]

async function yieldMessage<Tables extends { readonly version: number }>(
  { journal, job, metrics, processor }: JobRun<Tables>,
  lost: AttemptLost,
): Promise<Ends> {
  metrics.attempts.inc({ flow: processor.flow, code: 'lost' })
  journal.logger.warn(
    { key: job.data.key, reason: lost.reason },
    'An attempt ended without a word: it lost its message',
  )
  const { moved } = await journal.run('yield', { key: job.data.key, run: job.run })
  await enqueueDue(journal, [], moved)
  return done
}

const overtaken = () =>
  new TielineError('superseded', never, 'The target has already answered a later message of the same line')
