import { Counter, type Registry } from 'prom-client'

export interface WorkerMetrics {
  readonly settled: Counter<'flow' | 'state'>
  readonly retried: Counter<'flow' | 'code'>
}

/** What a worker process counts; labels are names of the catalogue, never anything of a message. */
export const createWorkerMetrics = (register: Registry): WorkerMetrics => ({
  settled: new Counter({
    name: 'tieline_messages_settled_total',
    help: 'Generations of messages that ended, by flow and final state.',
    labelNames: ['flow', 'state'],
    registers: [register],
  }),
  retried: new Counter({
    name: 'tieline_message_retries_total',
    help: 'Attempts that failed and were followed by another, by flow and failure code.',
    labelNames: ['flow', 'code'],
    registers: [register],
  }),
})
