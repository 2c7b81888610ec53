import { toUtc } from '@tieline/contracts/date-time'
import {
  type DacsProgramEvent,
  type DacsProgramEventAction,
  type StageStatus,
  stageStatusCreate,
} from '@tieline/contracts/messages/stage-status'
import { withoutUnpublishedRules } from '@tieline/contracts/reading/reading'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { Installation } from '@tieline/runtime/installation'
import { parsePayload } from '@tieline/worker-service/parse-payload'

/** The one call that a stage status becomes, and the id of its effect. */
export type StageCall =
  | { readonly effect: 'create'; readonly operation: 'createProgramEvent'; readonly body: DacsProgramEvent }
  | { readonly effect: 'act'; readonly operation: 'actionProgramEvent'; readonly body: DacsProgramEventAction }

/**
 * What DACS is asked to do (docs/wire-facts.md, F7): a status that StageStatus translates to "schedule" creates the
 * program event of the stage, any other acts on it.
 * @throws TielineError `lookup-missing` when a lookup has no row, `contract-violation` when a field is missing
 */
export function mapStageStatus(
  message: StageStatus,
  tables: Pick<LookupSnapshot, 'require'>,
  compat: Pick<Installation['compat'], 'eventKey'>,
): StageCall {
  const status = message.stageStatus.toUpperCase()
  const action = tables.require('StageStatus', status)
  return action === 'X1SD'
    ? { effect: 'create', operation: 'createProgramEvent', body: toProgramEvent(message, tables) }
    : { effect: 'act', operation: 'actionProgramEvent', body: toAction(message, action, compat) }
}

function toProgramEvent(message: StageStatus, tables: Pick<LookupSnapshot, 'require'>): DacsProgramEvent {
  const stage = parsePayload(creating, message)
  return {
    eventExternalIdentifier: stage.eventId,
    externalIdentifier: stage.stageId,
    programExternalIdentifier: stage.programCode,
    programEventCategory: tables.require('EventType', stage.eventType),
    startDateTime: toUtc(stage.stageStartDateTime),
    endDateTime: toUtc(stage.stageEndDateTime),
  }
}

function toAction(
  message: StageStatus,
  action: DacsProgramEventAction['action'],
  { eventKey }: Pick<Installation['compat'], 'eventKey'>,
): DacsProgramEventAction {
  return {
    eventExternalIdentifier: eventKey === 'stage' ? message.stageId : parsePayload(withEventId, message).eventId,
    action,
    ...(action === 'F1CN' && message.cancelReason && { cancelReason: message.cancelReason }),
  }
}

/** What must be there; how long it may be was judged when the message was read. */
const creating = withoutUnpublishedRules(stageStatusCreate)
const withEventId = creating.pick({ eventId: true })
