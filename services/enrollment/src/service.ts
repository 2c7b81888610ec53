import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { startWorkerService, type WorkerTuning } from '@tieline/worker-service/start-worker-service'
import { createProcessors } from './processors.ts'

/**
 * Starts the workers of flows F1 to F5.
 * @throws ConfigurationError when Redis or a connection cannot be set up
 */
export const startEnrollment = (settings: ServiceSettings, tuning?: WorkerTuning): Promise<AsyncDisposable> =>
  startWorkerService({ service: 'enrollment', settings, processors: createProcessors, tuning })
