import type { FlowId } from '@tieline/contracts/flows'
import type { Attempt } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import type { Connections } from '@tieline/targets/connections'

interface Request {
  readonly flow: FlowId
  readonly dacsMessageId: string
}

/**
 * The DACS connection for an acknowledgment of DERMS, pinned for the generation. It carries no division of its own, so it
 * goes where the division of the request leads that it answers.
 * @throws TielineError `routing-missing`
 */
export async function routeByRequest(
  attempt: Pick<Attempt, 'findMessage' | 'pin'>,
  lookups: LookupSnapshot,
  { kinds }: Pick<Connections, 'kinds'>,
  { flow, dacsMessageId }: Request,
): Promise<string> {
  const request = await attempt.findMessage(flow, dacsMessageId)
  return attempt.pin(`connection.${dacsMessageId}`, () => routeToDacs(lookups, kinds, { division: request?.division }))
}
