import type { InboundFlowId } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import type { Call } from './history.ts'

/** One effect that a message is meant to have. */
export interface Intent {
  /** The journal's name of the effect. */
  readonly effect: string
  /** What the call of it is told by at the target, see `targetOf`. */
  readonly target: string
  /** What tells a changed payload from the one before, where the call shows it. */
  readonly mark?: string | undefined
  /** What the reply calls the record, where a message has several. */
  readonly record?: string
}

const text = (body: unknown, ...path: string[]) => textOf(valueAt(body, ...path)) ?? ''

const actions: Readonly<Record<string, string>> = { IN_PROGRESS: 'X1IP', COMPLETED: 'F1CO', CANCELED: 'F1CN' }

/** The effects that a message of a caller is meant to have. */
export function intentsOf(flow: InboundFlowId, body: unknown): Intent[] {
  switch (flow) {
    case 'enrollment-request': {
      const records = valueAt(body, 'params')
      return (Array.isArray(records) ? records : []).map((one) => {
        const id = text(one, 'messageId')
        return { effect: `enroll.${id}`, target: `enrollProgram ${id}`, record: id }
      })
    }
    case 'enrollment-sync': {
      const target = `enroll ${text(body, 'sendDetails', 'syncRequestId')}`
      return [{ effect: 'enroll', target, mark: text(body, 'sendDetails', 'subscriptionInfo', 'status') }]
    }
    case 'enrollment-sync-ack':
      return (readMsgAck(body)?.responses ?? []).map(({ dacsMessageId = '', responseCode }, index) => ({
        effect: `sync.${dacsMessageId}.${index}`,
        target: `updateSyncRequest ${dacsMessageId}`,
        mark: String(responseCode !== 'SUCCESS'),
      }))
    case 'device-status-check': {
      const target = `statusCheck ${text(body, 'sendDetails', 'communicationId')}`
      return [{ effect: 'statusCheck', target, mark: text(body, 'sendDetails', 'deviceInfo', 'nicid') }]
    }
    case 'device-status-ack': {
      const target = `postDeviceStatus ${text(body, 'dacsMessageId')}`
      return [{ effect: 'status', target, mark: text(body, 'responseCode') }]
    }
    case 'stage-status': {
      const stage = text(body, 'stageId')
      const action = actions[text(body, 'stageStatus')]
      if (action === undefined) return [{ effect: 'create', target: `createProgramEvent ${stage}` }]
      return [{ effect: 'act', target: `actionProgramEvent ${stage} ${action}` }]
    }
    // The run sends no files yet.
    case 'event-reservation':
    case 'event-outcome':
      return []
  }
}

/** Which effect a received call is of, and its mark. */
export function targetOf({ operation, body }: Pick<Call, 'operation' | 'body'>): { target: string; mark?: string } {
  switch (operation) {
    case 'enrollProgram':
      return { target: `${operation} ${text(body, 'transactionId')}` }
    case 'enroll':
      return { target: `${operation} ${text(body, 'dacsMessageId')}`, mark: text(body, 'subscriptionInfo', 'status') }
    case 'updateSyncRequest': {
      const update = valueAt(body, 'F1-UpdateSyncRequest')
      return { target: `${operation} ${text(update, 'syncRequestId')}`, mark: String(valueAt(update, 'hasError')) }
    }
    case 'statusCheck':
      return { target: `${operation} ${text(body, 'dacsMessageId')}`, mark: text(body, 'DeviceInfo', 'nicid') }
    case 'postDeviceStatus': {
      const detail = valueAt(body, 'responseDetail')
      return { target: `${operation} ${text(detail, 'transactionID')}`, mark: text(detail, 'result', 'status') }
    }
    case 'createProgramEvent':
      return { target: `${operation} ${text(body, 'externalIdentifier')}` }
    case 'actionProgramEvent':
      return { target: `${operation} ${text(body, 'eventExternalIdentifier')} ${text(body, 'action')}` }
    default:
      return { target: operation }
  }
}

/** The calls of each effect in order of arrival. */
export const callsByTarget = (calls: readonly Call[]): Map<string, Call[]> =>
  Map.groupBy(calls, (call) => targetOf(call).target)
