import type { PipelineOptions } from '@tieline/testkit/pipeline'

/** Records that are years old by now must not be forgotten or trimmed when the test reads them. */
const forEver = { messagesDays: 3_650, payloadHours: 87_600, replayHours: 87_600, auditDays: 3_650 }

/** The installation whose records are kept; its name is part of every key. */
export const installationOf = (
  name: string,
  flows: Readonly<Record<string, unknown>> = {},
): Omit<PipelineOptions, 'redisUrl'> => ({
  sections: { installation: { name, environment: 'test' }, retention: forEver, flows },
})

/** One key as Redis dumps it. */
export interface DumpedKey {
  readonly key: string
  /** DUMP, base64. */
  readonly dump: string
  /** Milliseconds it had left; 0 for ever. */
  readonly ttlMs: number
}

/** Every stage, event, record and request of the kept records, by what became of it. */
export const stories = {
  createdStage: '1315',
  refusedStage: '2001',
  deadStage: '2002',
  retryingStage: '3001',
  calledStage: '3002',
  syncWithoutAck: 'SYNC-1',
  retryingSync: 'SYNC-2',
  waitingSync: 'SYNC-3',
  unknownSync: 'SYNC-UNKNOWN',
} as const
