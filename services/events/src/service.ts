import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { startWorkerService, type WorkerTuning } from '@tieline/worker-service/start-worker-service'
import { createProcessors } from './processors.ts'

/**
 * Starts the workers of program events.
 * @throws ConfigurationError when REDIS_URL is missing or a connection cannot be set up
 */
export const startEvents = (settings: ServiceSettings, tuning?: WorkerTuning): Promise<AsyncDisposable> =>
  startWorkerService({ service: 'events', settings, processors: createProcessors, tuning })
