import type { DermsStatusCheck, DeviceStatusCheck } from '@tieline/contracts/messages/device-status-check'

/** F4: DACS' question as DERMS wants it (docs/wire-facts.md, F4 and F5). The device is copied; no lookup is applied. */
export const toDermsStatusCheck = ({ sendDetails }: DeviceStatusCheck): DermsStatusCheck => ({
  dacsMessageId: sendDetails.communicationId,
  DeviceInfo: sendDetails.deviceInfo,
})
