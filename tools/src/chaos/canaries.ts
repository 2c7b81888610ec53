import { type FlowId, flowIds, flowSpec } from '@tieline/contracts/flows'
import type { AckType } from '@tieline/contracts/msg-ack'
import {
  deviceStatusAck,
  deviceStatusCheck,
  enrollment,
  enrollmentSync,
  enrollmentSyncAck,
  type Message,
  stageStatus,
} from './bodies.ts'
import { outcome, reservation } from './event-files.ts'
import type { Told } from './told.ts'

/** A message that must go through when all is well. */
export interface Canary {
  readonly message: Message
  readonly told: Told
  /** What DERMS hears by call-back. */
  readonly heard?: AckType
}

/**
 * One of every flow that has a caller; the ends of the files cause e-mails. What answers a request comes in the second list: with
 * two DACS it goes where its request came from.
 */
export function canaries(round: number): [Canary[], Canary[]] {
  const name = `CANARY-${round}`
  const sync = String(90_000_000_000_000 + round)
  const check = `CANARY-CHECK-${round}`
  return [
    [
      { message: enrollment([name]), told: 'SUCCESS' },
      { message: enrollmentSync(sync, name), told: 'SUCCESS' },
      { message: deviceStatusCheck(check), told: 'SUCCESS' },
      { message: stageStatus(name, 'SCHEDULED'), told: 'SUCCESS' },
      { message: reservation(name, name, 3), told: 'accepted', heard: 'SUCCESS' },
      { message: outcome(name, name, 3), told: 'accepted', heard: 'SUCCESS' },
    ],
    [
      { message: enrollmentSyncAck(sync), told: 'accepted' },
      { message: deviceStatusAck(check), told: 'SUCCESS' },
    ],
  ]
}

/** The flows that a worker service works on. */
export const flowsOf = (service: string): FlowId[] => flowIds.filter((flow) => flowSpec(flow).service === service)
