import { enrollmentSync } from '@tieline/contracts/messages/enrollment-sync'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { createForwarding } from '../forward-to-derms.ts'
import { toDermsEnrollmentSync } from '../mappings/enrollment-sync.ts'

/** F2: a customer, the subscription and the devices go from DACS to DERMS. */
export const createEnrollmentSync = (deps: WorkerDeps) =>
  createForwarding(
    {
      flow: 'enrollment-sync',
      operation: 'enroll',
      contract: enrollmentSync,
      map: toDermsEnrollmentSync,
      id: ({ sendDetails }) => sendDetails.syncRequestId,
      division: ({ sendDetails }) => sendDetails.locationInfo?.division,
    },
    deps,
  )
