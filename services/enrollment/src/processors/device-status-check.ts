import { deviceStatusCheck } from '@tieline/contracts/messages/device-status-check'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'
import { createForwarding } from '../forward-to-derms.ts'
import { toDermsStatusCheck } from '../mappings/device-status-check.ts'

/** F4: DACS asks DERMS how a device is. */
export const createDeviceStatusCheck = (deps: WorkerDeps) =>
  createForwarding(
    {
      flow: 'device-status-check',
      operation: 'statusCheck',
      contract: deviceStatusCheck,
      map: toDermsStatusCheck,
      id: ({ sendDetails }) => sendDetails.communicationId,
      division: ({ sendDetails }) => sendDetails.deviceInfo.division,
    },
    deps,
  )
