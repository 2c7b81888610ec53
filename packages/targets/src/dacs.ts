import type { CallTarget } from '@tieline/runtime/call-target'
import type { Answer } from '@tieline/runtime/error'
import type { HttpTarget } from './http-target.ts'
import { type Addresses, createOperations, createProbe, type OperationRequest } from './operations.ts'

/** What Tieline asks of DACS (docs/wire-facts.md, Endpoints of DACS). */
export const dacsOperations = {
  /** F1: one enrollment. */
  enrollProgram: { method: 'POST', path: '/cross/digitalAssets/programEnrollments/enroll' },
  /** F3: the result of a sync request. */
  updateSyncRequest: { method: 'PATCH', path: '/common/sync/syncRequest/{syncRequestId}' },
  /** F5: the result of a device status check. */
  postDeviceStatus: { method: 'POST', path: '/cross/digitalAssets/controllableDeviceStatus/response' },
  /** F7: a scheduled stage becomes a program event. */
  createProgramEvent: { method: 'POST', path: '/cross/service/programEvent/' },
  /** F7: any later status of a stage. */
  actionProgramEvent: { method: 'POST', path: '/cross/service/programEvent/lifecycle' },
  /** F6: one segment of a reservation file. */
  reserveDevice: { method: 'POST', path: '/cross/service/programEventParticipation/reserveDevice' },
  /** F9: one segment of an outcome file. */
  postEventOutcome: { method: 'POST', path: '/cross/service/programEventParticipation/postEventOutcome' },
  healthCheck: { method: 'GET', path: '/common/system/healthCheck/' },
} as const

export type DacsOperation = keyof typeof dacsOperations

export interface DacsClient extends CallTarget<DacsOperation, OperationRequest, Answer> {
  /** Names of the operations at whose address there is nothing; nothing is changed by asking. @throws CallError */
  missing(): Promise<DacsOperation[]>
  /** Calls in flight at a time. */
  readonly concurrency: number
}

export interface DacsOptions extends Addresses<DacsOperation> {
  /** Health check 203 means that a function that is not critical is degraded; the guide counts only 200 as healthy. */
  readonly acceptDegradedHealth: boolean
  readonly concurrency: number
}

export function createDacsClient(target: HttpTarget, options: DacsOptions): DacsClient {
  const success: ReadonlySet<number> = new Set(options.acceptDegradedHealth ? [200, 203] : [200])
  const operations = { ...dacsOperations, healthCheck: { ...dacsOperations.healthCheck, success } }
  const isThere = createProbe(target, operations, options)
  return {
    name: target.name,
    concurrency: options.concurrency,
    call: createOperations<DacsOperation>(target, operations, options),
    async missing() {
      const names = (Object.keys(operations) as DacsOperation[]).filter((name) => name !== 'healthCheck')
      const there = await Promise.all(names.map(isThere))
      return names.filter((_, i) => !there[i])
    },
  }
}
