import type { CallTarget } from '@tieline/runtime/call-target'
import type { Answer } from '@tieline/runtime/error'
import type { HttpTarget } from './http-target.ts'
import { type Addresses, createOperations, type OperationRequest } from './operations.ts'

/**
 * What Tieline asks of DERMS (docs/wire-facts.md, Endpoints of DERMS). An acknowledgment in the body of a success is handed over
 * unread.
 */
export const dermsOperations = {
  /** F2: customer, subscription and devices. */
  enroll: { method: 'POST', path: '/enroll' },
  /** F4: asks for the communication status of a device. */
  statusCheck: { method: 'POST', path: '/status-check' },
  /** F6: the result of a reservation file. */
  eventReservationAck: { method: 'POST', path: '/event-reservation-ack' },
  /** F9: the result of an outcome file. */
  deviceOutcomeAck: { method: 'POST', path: '/device-outcome-ack' },
  /** F8: a score file under its name. 202 is success here only. */
  deviceScore: { method: 'POST', path: '/device-score/{fileName}', success: new Set([200, 202]) },
  /** List of the services that DERMS offers. */
  catalog: { method: 'GET', path: '/catalog' },
  /** Description of the services. */
  openapi: { method: 'GET', path: '/openapi.json' },
} as const

export type DermsOperation = keyof typeof dermsOperations

export type DermsClient = CallTarget<DermsOperation, OperationRequest, Answer>

export const createDermsClient = (target: HttpTarget, addresses: Addresses<DermsOperation>): DermsClient => ({
  name: target.name,
  call: createOperations<DermsOperation>(target, dermsOperations, addresses),
})
