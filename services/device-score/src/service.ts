import { applySchedules, startScheduler } from '@tieline/journal/transfers/schedules'
import type { ServiceSettings } from '@tieline/worker-service/read-settings'
import { startWorkerService, type WorkerTuning } from '@tieline/worker-service/start-worker-service'
import { followTransfers } from './follow-transfers.ts'
import { createTransferRunProcessor, type TransferTuning } from './processors/transfer-run.ts'

/**
 * Starts the worker of score transfers, and the schedules of the installation file with it.
 * @throws ConfigurationError when REDIS_URL is missing or a connection cannot be set up
 */
export async function startDeviceScore(
  settings: ServiceSettings,
  tuning: WorkerTuning & TransferTuning = {},
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  const followed = parts.use(followTransfers(settings, tuning))
  parts.use(
    await startWorkerService({
      service: 'device-score',
      settings,
      processors: (deps) => [createTransferRunProcessor({ ...deps, transfers: followed.current }, tuning)],
      transfers: () => followed.current().deviceScore,
      async beside({ journal, redis, logger }) {
        await applySchedules(journal, followed.current().deviceScore)
        followed.onChange(logger, ({ deviceScore }) => applySchedules(journal, deviceScore))
        return startScheduler(journal, redis, () => followed.current().deviceScore)
      },
      tuning,
    }),
  )
  return parts.move()
}
