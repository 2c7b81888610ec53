import type { DermsStatusCheck, DeviceStatusCheck } from '@tieline/contracts/messages/device-status-check'

/** F4: DACS' question as DERMS wants it (wire-contracts 4, F4). The device goes on as it came; no lookup is applied. */
export const toDermsStatusCheck = ({ sendDetails }: DeviceStatusCheck): DermsStatusCheck => ({
  dacsMessageId: sendDetails.communicationId,
  DeviceInfo: sendDetails.deviceInfo,
})
