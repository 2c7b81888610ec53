import type { Processor } from '@tieline/journal/types'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { createDeviceStatusAck } from './processors/device-status-ack.ts'
import { createDeviceStatusCheck } from './processors/device-status-check.ts'
import { createEnrollmentRequest } from './processors/enrollment-request.ts'
import { createEnrollmentSync } from './processors/enrollment-sync.ts'
import { createEnrollmentSyncAck } from './processors/enrollment-sync-ack.ts'

/** Everything that goes from one system to the other about customers and their devices: F1 to F5. */
export const createProcessors = (deps: WorkerDeps): readonly Processor<LookupSnapshot>[] => [
  createEnrollmentRequest(deps),
  createEnrollmentSync(deps),
  createEnrollmentSyncAck(deps),
  createDeviceStatusCheck(deps),
  createDeviceStatusAck(deps),
]
