import type { Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { outcomeFile } from './mappings/event-outcome.ts'
import { reservationFile } from './mappings/event-reservation.ts'
import { createAcknowledgmentProcessor } from './processors/acknowledgment.ts'
import { createEventFileProcessor } from './processors/event-file.ts'
import { createStageStatusProcessor } from './processors/stage-status.ts'

/** The flows of this service. */
export const createProcessors = (deps: WorkerDeps): Processor<LookupSnapshot>[] => [
  createStageStatusProcessor(deps),
  createEventFileProcessor(reservationFile, deps),
  createEventFileProcessor(outcomeFile, deps),
  createAcknowledgmentProcessor(deps),
]
