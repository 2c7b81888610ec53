import { never, TielineError } from '@tieline/runtime/error'
import type { Installation } from '@tieline/runtime/installation'

interface EventNames {
  readonly stageId?: string | null | undefined
  readonly eventId?: string | null | undefined
}

/**
 * What DACS gets as `eventExternalIdentifier`: the id of the stage, else that of the event, unless the installation says that
 * events are known by their own id (docs/wire-facts.md, F7).
 * @throws TielineError `contract-violation` when there is none
 */
export function eventKeyOf(
  { stageId, eventId }: EventNames,
  { eventKey }: Pick<Installation['compat'], 'eventKey'>,
): string {
  const key = eventKey === 'stage' ? stageId || eventId : eventId
  if (key) return key
  const rule = eventKey === 'stage' ? 'stageId: needs stageId or eventId' : 'eventId: must not be empty'
  throw new TielineError('contract-violation', never, rule)
}
