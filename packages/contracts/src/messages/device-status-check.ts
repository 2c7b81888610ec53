import { z } from 'zod'
import { optionalText, requiredText } from './fields.ts'

/** Also the length of `dacsMessageId` in the acknowledgment. */
export const communicationIdLengthMax = 30

/** Both sides name the fields alike, `nicid` with a small d too; they go to DERMS as received. */
const device = {
  division: optionalText('routingKey'),
  deviceType: optionalText(30),
  specification: optionalText(30),
  headEndSystem: optionalText(50),
  nicid: optionalText(100),
}

/** F4, DACS to Tieline. */
export const deviceStatusCheck = z.object({
  sendDetails: z.object({
    communicationId: requiredText(communicationIdLengthMax),
    deviceInfo: z.object(device),
  }),
})

/** F4, Tieline to DERMS: `DeviceInfo` has a capital here. */
export const dermsStatusCheck = z.strictObject({
  dacsMessageId: requiredText(communicationIdLengthMax),
  DeviceInfo: z.strictObject(device),
})

export type DeviceStatusCheck = z.infer<typeof deviceStatusCheck>
export type DermsStatusCheck = z.infer<typeof dermsStatusCheck>
