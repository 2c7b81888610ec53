import { acknowledgment } from '@tieline/contracts/acknowledgment'
import { type FlowId, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { ackOperations } from './ack-desk.ts'
import { segmentsOf } from './event-files.ts'
import type { Call, History, Recorded } from './history.ts'

/** One effect that a message is meant to have. */
export interface Intent {
  /** The journal's name of the effect; of a row, that of its segment. */
  readonly effect: string
  /** What it is told by at the target, see `marksOf`. */
  readonly target: string
  /** What tells a changed payload from the one before, where the call shows it. */
  readonly mark?: string | undefined
  /** What the reply calls the record, where a message has several. */
  readonly record?: string
}

/** An intent as a received call shows it. */
export type Shown = Pick<Intent, 'target' | 'mark'>

const text = (body: unknown, ...path: string[]) => textOf(valueAt(body, ...path)) ?? ''

const listAt = (body: unknown, ...path: string[]): unknown[] => {
  const list = valueAt(body, ...path)
  return Array.isArray(list) ? list : []
}

const actions: Readonly<Record<string, string>> = { IN_PROGRESS: 'X1IP', COMPLETED: 'F1CO', CANCELED: 'F1CN' }

const rowOperations = { 'event-reservation': 'reserveDevice', 'event-outcome': 'postEventOutcome' } as const

/** The effects that a message of a caller is meant to have. */
export function intentsOf(flow: InboundFlowId, body: unknown, content = ''): Intent[] {
  switch (flow) {
    case 'enrollment-request':
      return listAt(body, 'params').map((one) => {
        const id = text(one, 'messageId')
        return { effect: `enroll.${id}`, target: `enrollProgram ${id}`, record: id }
      })
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
    case 'event-reservation':
    case 'event-outcome':
      return segmentsOf(flow, content).flatMap(({ effect, rows }) =>
        rows.map(({ nicId, mark }) => ({ effect, target: `${rowOperations[flow]} ${nicId}`, mark })),
      )
  }
}

const isInbound = (flow: FlowId): flow is InboundFlowId => inboundFlowIds.some((one) => one === flow)

/** What a message of the journal is meant to do at its target, by the payload that it ended with. */
export function intentsOfMessage({ flow, payload, content }: Pick<Recorded, 'flow' | 'payload' | 'content'>): Intent[] {
  if (isInbound(flow)) return intentsOf(flow, payload, content)
  const due = flow === 'acknowledgment' ? acknowledgment.safeParse(payload).data : undefined
  return due === undefined ? [] : [{ effect: 'acknowledge', ...showAck(ackOperations[due.flow], due.ack) }]
}

const showAck = (operation: string, { ackType, whenISO, responses }: NonNullable<ReturnType<typeof readMsgAck>>) => ({
  target: `${operation} ${responses[0]?.id} ${whenISO}`,
  mark: `${ackType} ${responses[0]?.value}`,
})

/** Which effects a received call is of. A call with rows is one of each. */
export function shownBy({ operation, path, body }: Pick<Call, 'operation' | 'path' | 'body'>): Shown[] {
  switch (operation) {
    case 'enrollProgram':
      return [{ target: `${operation} ${text(body, 'transactionId')}` }]
    case 'enroll':
      return [{ target: `${operation} ${text(body, 'dacsMessageId')}`, mark: text(body, 'subscriptionInfo', 'status') }]
    case 'updateSyncRequest': {
      const update = valueAt(body, 'F1-UpdateSyncRequest')
      return [{ target: `${operation} ${text(update, 'syncRequestId')}`, mark: String(valueAt(update, 'hasError')) }]
    }
    case 'statusCheck':
      return [{ target: `${operation} ${text(body, 'dacsMessageId')}`, mark: text(body, 'DeviceInfo', 'nicid') }]
    case 'postDeviceStatus': {
      const detail = valueAt(body, 'responseDetail')
      return [{ target: `${operation} ${text(detail, 'transactionID')}`, mark: text(detail, 'result', 'status') }]
    }
    case 'createProgramEvent':
      return [{ target: `${operation} ${text(body, 'externalIdentifier')}` }]
    case 'actionProgramEvent':
      return [{ target: `${operation} ${text(body, 'eventExternalIdentifier')} ${text(body, 'action')}` }]
    case 'reserveDevice':
      return listAt(body, 'deviceList').map((row) => ({
        target: `${operation} ${text(row, 'nicId')}`,
        mark: text(row, 'reservationEndDateTime'),
      }))
    case 'postEventOutcome':
      return listAt(body, 'postOutcomeList').map((row) => ({
        target: `${operation} ${text(row, 'nicId')}`,
        mark: text(row, 'participationEndDateTime'),
      }))
    case 'eventReservationAck':
    case 'deviceOutcomeAck': {
      const ack = readMsgAck(body)
      return ack ? [showAck(operation, ack)] : []
    }
    case 'deviceScore': {
      const name = decodeURIComponent(path.split('/').at(-1) ?? '')
      return [{ target: scoreTarget(name, text(body, 'sha256')) }]
    }
    default:
      return []
  }
}

export const scoreTarget = (name: string, sha256: string): string => `deviceScore ${name} ${sha256}`

/** A call as far as it is about one effect. */
export interface Hit {
  readonly call: Call
  readonly mark: string | undefined
}

/** The calls of each effect in order of arrival. */
export function callsByTarget(calls: readonly Call[]): Map<string, Hit[]> {
  const byTarget = new Map<string, Hit[]>()
  for (const call of calls) {
    for (const { target, mark } of shownBy(call)) {
      const known = byTarget.get(target)
      if (known) known.push({ call, mark })
      else byTarget.set(target, [{ call, mark }])
    }
  }
  return byTarget
}

export interface Owner {
  readonly message: Recorded
  readonly intent: Intent
}

const ownersOf = new WeakMap<History['messages'], Map<string, Owner[]>>()

/** The messages that mean to have an effect. */
export function findOwners({ messages }: Pick<History, 'messages'>, target: string): Owner[] {
  let owners = ownersOf.get(messages)
  if (owners === undefined) {
    owners = Map.groupBy(
      messages.flatMap((message) => intentsOfMessage(message).map((intent) => ({ message, intent }))),
      ({ intent }) => intent.target,
    )
    ownersOf.set(messages, owners)
  }
  return owners.get(target) ?? []
}
