import { Counter, Histogram, type Registry } from 'prom-client'

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>

/** From a reply within a tenth of a second to a message that was tried for a day. */
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400]

/** What a worker process counts; labels are names of the catalogue and of connections, never anything of a message. */
export function createWorkerMetrics(register: Registry) {
  const registers = [register]
  return {
    settled: new Counter({
      name: 'tieline_messages_settled_total',
      help: 'Generations of messages that ended, by flow, final state and what the sender was told.',
      labelNames: ['flow', 'state', 'outcome'],
      registers,
    }),
    duration: new Histogram({
      name: 'tieline_message_duration_seconds',
      help: 'Time from accepting a generation of a message to its end.',
      labelNames: ['flow'],
      buckets,
      registers,
    }),
    attempts: new Counter({
      name: 'tieline_message_attempts_total',
      help: 'Attempts that ended, by flow and failure code; none: without a failure, lost: another worker or a newer payload took over.',
      labelNames: ['flow', 'code'],
      registers,
    }),
    retried: new Counter({
      name: 'tieline_message_retries_total',
      help: 'Attempts that failed and are followed by another, by flow and failure code.',
      labelNames: ['flow', 'code'],
      registers,
    }),
    effects: new Counter({
      name: 'tieline_effects_total',
      help: 'Calls on targets that the journal recorded, by flow, connection and how they ended: confirmed, refused, failed (not applied) or unknown.',
      labelNames: ['flow', 'connection', 'state'],
      registers,
    }),
    repeats: new Counter({
      name: 'tieline_effect_repeats_total',
      help: 'Calls that were made although an earlier one of the same intention may have been applied.',
      labelNames: ['flow', 'connection'],
      registers,
    }),
    rows: new Counter({
      name: 'tieline_file_rows_total',
      help: 'Rows of event files whose generation ended, by flow and what became of them: confirmed, refused, unknown or notSent.',
      labelNames: ['flow', 'result'],
      registers,
    }),
    acknowledgmentLag: new Histogram({
      name: 'tieline_acknowledgment_lag_seconds',
      help: 'Time from accepting an event file to the moment when its sender had taken the acknowledgment, by flow of the file.',
      labelNames: ['flow'],
      buckets,
      registers,
    }),
  }
}
