import type { Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { createStageStatusProcessor } from './processors/stage-status.ts'

/** The flows of this service. */
export const createProcessors = (deps: WorkerDeps): Processor<LookupSnapshot>[] => [createStageStatusProcessor(deps)]
