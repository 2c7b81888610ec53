import type { flows, InboundFlowId } from '@tieline/contracts/flows'
import { deviceStatusCheck } from '@tieline/contracts/messages/device-status-check'
import { enrollmentSync } from '@tieline/contracts/messages/enrollment-sync'
import { enrollmentSyncAck } from '@tieline/contracts/messages/enrollment-sync-ack'
import { eventOutcome } from '@tieline/contracts/messages/event-outcome'
import { eventReservation } from '@tieline/contracts/messages/event-reservation'
import { describeIssues } from '@tieline/contracts/problem'
import { createReading } from '@tieline/contracts/reading/reading'
import type { Installation } from '@tieline/runtime/installation'
import type { z } from 'zod'
import { Refusal } from './problems.ts'

type RefusingFlowId = {
  [Id in InboundFlowId]: (typeof flows)[Id]['invalidInput'] extends 'refuse' ? Id : never
}[InboundFlowId]

/** Flows whose messages are refused here when they break their contract; those of the others are answered by their worker. */
const contracts: Readonly<Record<RefusingFlowId, z.ZodType>> = {
  'enrollment-sync': enrollmentSync,
  'enrollment-sync-ack': enrollmentSyncAck,
  'device-status-check': deviceStatusCheck,
  'event-reservation': eventReservation,
  'event-outcome': eventOutcome,
}

/**
 * Refuses what the workers of this installation would not read either. The returned function throws Refusal 400 naming paths and
 * rules.
 */
export function createContractCheck({ compat }: Pick<Installation, 'compat'>) {
  const read = createReading(compat)
  return (flow: InboundFlowId, body: unknown): void => {
    if (!isRefusing(flow)) return
    const reading = read(contracts[flow], body)
    if ('data' in reading) return
    const errors = describeIssues(reading.error)
    throw new Refusal(400, 'contract-violation', 'The message breaks its contract', { errors })
  }
}

const isRefusing = (flow: InboundFlowId): flow is RefusingFlowId => Object.hasOwn(contracts, flow)
