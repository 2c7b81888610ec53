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

/** One of every flow that has a caller; the ends of the files cause e-mails. */
export function canaries(round: number): Canary[] {
  const name = `CANARY-${round}`
  return [
    { message: enrollment([name]), told: 'SUCCESS' },
    { message: enrollmentSync(String(90_000_000_000_000 + round), name), told: 'SUCCESS' },
    { message: enrollmentSyncAck(String(91_000_000_000_000 + round)), told: 'accepted' },
    { message: deviceStatusCheck(`CANARY-CHECK-${round}`), told: 'SUCCESS' },
    { message: deviceStatusAck(`CANARY-ACK-${round}`), told: 'SUCCESS' },
    { message: stageStatus(name, 'SCHEDULED'), told: 'SUCCESS' },
    { message: reservation(name, name, 3), told: 'accepted', heard: 'SUCCESS' },
    { message: outcome(name, name, 3), told: 'accepted', heard: 'SUCCESS' },
  ]
}

/** The flows that a worker service works on. */
export const flowsOf = (service: string): FlowId[] => flowIds.filter((flow) => flowSpec(flow).service === service)
