import { z } from 'zod'
import { assumedAnswerRoot } from '../assumed.ts'
import { textOf, valueAt, withFields } from '../json-object.ts'
import { communicationIdLengthMax } from './device-status-check.ts'
import { requiredText } from './fields.ts'

/** F5, DERMS to Tieline: SUCCESS or FAILURE as DERMS found the device; DACS may be set up to know more codes. */
export const deviceStatusAck = z.object({
  dacsMessageId: requiredText(communicationIdLengthMax),
  responseCode: requiredText('code'),
})

/** F5, Tieline to DACS (postControllableDeviceStatus). */
export const dacsDeviceStatusResponse = z.strictObject({
  responseDetail: z.strictObject({
    transactionID: requiredText(communicationIdLengthMax),
    result: z.strictObject({ status: requiredText('code') }),
  }),
})

/** F5, the part of DACS' answer that is read. */
export const dacsDeviceStatusAnswer = z.object({
  boStatus: z.string().optional(),
  communicationId: z.string().optional(),
})

/** Reads DACS' answer to a device status, with or without its root; what is missing or not readable is left out. */
export function readDeviceStatusAnswer(body: unknown): DacsDeviceStatusAnswer {
  const answer = withFields(body, assumedAnswerRoot.deviceStatus, Object.keys(dacsDeviceStatusAnswer.shape))
  const boStatus = textOf(valueAt(answer, 'boStatus'))
  const communicationId = textOf(valueAt(answer, 'communicationId'))
  return { ...(boStatus !== undefined && { boStatus }), ...(communicationId !== undefined && { communicationId }) }
}

export type DeviceStatusAck = z.infer<typeof deviceStatusAck>
export type DacsDeviceStatusResponse = z.infer<typeof dacsDeviceStatusResponse>
export type DacsDeviceStatusAnswer = z.infer<typeof dacsDeviceStatusAnswer>
