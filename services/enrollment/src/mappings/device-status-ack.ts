import type {
  DacsDeviceStatusAnswer,
  DacsDeviceStatusResponse,
  DeviceStatusAck,
} from '@tieline/contracts/messages/device-status-ack'
import type { MsgAckResponse } from '@tieline/contracts/msg-ack'

/** F5: what DERMS found out about a device, as DACS wants it (docs/wire-facts.md, F4 and F5). */
export const toDacsDeviceStatus = ({ dacsMessageId, responseCode }: DeviceStatusAck): DacsDeviceStatusResponse => ({
  responseDetail: { transactionID: dacsMessageId, result: { status: responseCode } },
})

/** F5: DACS' answer as DERMS wants it: the state of the communication takes the place of the code. */
export const toDeviceStatusResponse = (
  { boStatus, communicationId }: DacsDeviceStatusAnswer,
  dacsMessageId: string,
  responseTimeISO: string,
): MsgAckResponse => ({
  responseCode: boStatus ?? 'SUCCESS',
  responseTimeISO,
  dacsMessageId: communicationId ?? dacsMessageId,
})
