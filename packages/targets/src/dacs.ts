import { type Answer, CallError, never } from '@tieline/runtime/error'
import type { HttpTarget } from './http-target.ts'
import { type Addresses, createOperations, createProbe } from './operations.ts'

/**
 * What Tieline asks of DACS (docs/wire-facts.md, Endpoints of DACS).
 * Every method throws CallError when the call does not succeed.
 */
export interface DacsClient {
  readonly name: string
  /** F1: one enrollment. */
  enrollProgram(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F3: the result of a sync request. */
  updateSyncRequest(syncRequestId: string, body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F5: the result of a device status check. */
  postDeviceStatus(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F7: a scheduled stage becomes a program event. */
  createProgramEvent(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F7: any later status of a stage. */
  actionProgramEvent(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F6: one segment of a reservation file. */
  reserveDevice(body: unknown, signal?: AbortSignal): Promise<Answer>
  /** F9: one segment of an outcome file. */
  postEventOutcome(body: unknown, signal?: AbortSignal): Promise<Answer>
  healthCheck(signal?: AbortSignal): Promise<Answer>
  /** Names of the operations at whose address there is nothing; nothing is changed by asking. @throws CallError */
  missing(): Promise<(keyof typeof dacsOperations)[]>
  /** Calls in flight at a time. */
  readonly concurrency: number
}

export const dacsOperations = {
  enrollProgram: { method: 'POST', path: '/cross/digitalAssets/programEnrollments/enroll' },
  updateSyncRequest: { method: 'PATCH', path: '/common/sync/syncRequest/{syncRequestId}' },
  postDeviceStatus: { method: 'POST', path: '/cross/digitalAssets/controllableDeviceStatus/response' },
  createProgramEvent: { method: 'POST', path: '/cross/service/programEvent/' },
  actionProgramEvent: { method: 'POST', path: '/cross/service/programEvent/lifecycle' },
  reserveDevice: { method: 'POST', path: '/cross/service/programEventParticipation/reserveDevice' },
  postEventOutcome: { method: 'POST', path: '/cross/service/programEventParticipation/postEventOutcome' },
  healthCheck: { method: 'GET', path: '/common/system/healthCheck/' },
} as const

export interface DacsOptions extends Addresses<keyof typeof dacsOperations> {
  /** Health check 203 means that a function that is not critical is degraded; the guide counts only 200 as healthy. */
  readonly acceptDegradedHealth: boolean
  readonly concurrency: number
}

export function createDacsClient(target: HttpTarget, options: DacsOptions): DacsClient {
  const call = createOperations(target, dacsOperations, options)
  const isThere = createProbe(target, dacsOperations, options)
  const healthy: ReadonlySet<number> = new Set(options.acceptDegradedHealth ? [200, 203] : [200])
  return {
    name: target.name,
    concurrency: options.concurrency,
    enrollProgram: (body, signal) => call('enrollProgram', { body, signal }),
    async updateSyncRequest(syncRequestId, body, signal) {
      // Any other value stays one segment when it is percent-encoded; these would change the path, or cannot be encoded.
      if (['', '.', '..'].includes(syncRequestId) || !syncRequestId.isWellFormed()) {
        throw new CallError({
          code: 'contract-violation',
          retry: never,
          outcome: 'failed',
          connection: target.name,
          message: `${target.name}: updateSyncRequest was not called: the sync request id cannot stand in a path`,
          durationMs: 0,
        })
      }
      return call('updateSyncRequest', { segment: syncRequestId, body, signal })
    },
    postDeviceStatus: (body, signal) => call('postDeviceStatus', { body, signal }),
    createProgramEvent: (body, signal) => call('createProgramEvent', { body, signal }),
    actionProgramEvent: (body, signal) => call('actionProgramEvent', { body, signal }),
    reserveDevice: (body, signal) => call('reserveDevice', { body, signal }),
    postEventOutcome: (body, signal) => call('postEventOutcome', { body, signal }),
    healthCheck: (signal) => call('healthCheck', { success: healthy, signal }),
    async missing() {
      const names = Object.keys(dacsOperations).filter(
        (name) => name !== 'healthCheck',
      ) as (keyof typeof dacsOperations)[]
      const there = await Promise.all(names.map(isThere))
      return names.filter((_, i) => !there[i])
    },
  }
}
