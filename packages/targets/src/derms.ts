import type { Answer } from '@tieline/runtime/error'
import type { Content } from './exchange.ts'
import type { HttpTarget } from './http-target.ts'
import { type Addresses, createOperations } from './operations.ts'

/**
 * What Tieline asks of DERMS (docs/wire-facts.md, Endpoints of DERMS).
 * Every method throws CallError when the call does not succeed.
 * An acknowledgment in the body of a success is handed over unread.
 */
export interface DermsClient {
  readonly name: string
  /** F2: customer, subscription and devices. */
  enroll(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F4: asks for the communication status of a device. */
  statusCheck(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F6: the result of a reservation file. */
  eventReservationAck(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F9: the result of an outcome file. */
  deviceOutcomeAck(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F8: a score file under its name. 200 and 202 are success. */
  deviceScore(fileName: string, content: Content, signal?: AbortSignal): Promise<Answer>
  /** List of the services that DERMS offers. */
  catalog(signal?: AbortSignal): Promise<Answer>
  /** Description of the services. */
  openapi(signal?: AbortSignal): Promise<Answer>
}

export const dermsOperations = {
  enroll: { method: 'POST', path: '/enroll' },
  statusCheck: { method: 'POST', path: '/status-check' },
  eventReservationAck: { method: 'POST', path: '/event-reservation-ack' },
  deviceOutcomeAck: { method: 'POST', path: '/device-outcome-ack' },
  deviceScore: { method: 'POST', path: '/device-score/{fileName}' },
  catalog: { method: 'GET', path: '/catalog' },
  openapi: { method: 'GET', path: '/openapi.json' },
} as const

export function createDermsClient(target: HttpTarget, addresses: Addresses<keyof typeof dermsOperations>): DermsClient {
  const call = createOperations(target, dermsOperations, addresses)
  return {
    name: target.name,
    enroll: (body, signal) => call('enroll', { body, signal }),
    statusCheck: (body, signal) => call('statusCheck', { body, signal }),
    eventReservationAck: (body, signal) => call('eventReservationAck', { body, signal }),
    deviceOutcomeAck: (body, signal) => call('deviceOutcomeAck', { body, signal }),
    deviceScore: (fileName, content, signal) =>
      call('deviceScore', { segment: fileName, content, success: scoreTaken, signal }),
    catalog: (signal) => call('catalog', { signal }),
    openapi: (signal) => call('openapi', { signal }),
  }
}

/** 202 is success here only. */
const scoreTaken: ReadonlySet<number> = new Set([200, 202])
