import type { FlowId } from '@tieline/contracts/flows'
import { findByTerms } from '@tieline/journal/find-by-term'
import type { Attempt } from '@tieline/journal/types'
import { routeToDacs } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { type Speaker, speaksForDivision } from '@tieline/lookups/speaks-for'
import { never, TielineError } from '@tieline/runtime/error'
import type { WorkerDeps } from '@tieline/worker-service/start-worker-service'

interface Request {
  readonly flow: FlowId
  readonly dacsMessageId: string
}

/**
 * The DACS connection for an acknowledgment of DERMS, pinned for the generation. It carries no division of its own, so it
 * goes where the division of the request leads that it answers: of several, the newest to which its client has the right.
 * @throws TielineError `routing-missing`; `not-allowed` when there is none to which the client has the right
 */
export async function routeByRequest(
  attempt: Pick<Attempt, 'client' | 'journal' | 'pin'>,
  lookups: LookupSnapshot,
  { connections: { kinds }, installation }: Pick<WorkerDeps, 'connections' | 'installation'>,
  { flow, dacsMessageId }: Request,
): Promise<string> {
  const { clients } = installation.ingress
  // A client that is no longer there was looked at when its message came.
  const client: Speaker = clients.find(({ name }) => name === attempt.client) ?? {}
  const sites = { lookups, connections: kinds, clients }
  const [found = []] = await findByTerms(attempt.journal, flow, [dacsMessageId])
  // Asked for here once more: the request may have come after its acknowledgment, and Routing may have changed.
  const divisions = found.length === 0 ? [undefined] : found.map(({ division }) => division)
  const allowed = divisions.filter((division) => speaksForDivision(client, division, sites))
  if (allowed.length === 0) throw new TielineError('not-allowed', never, noRight)
  return attempt.pin(`connection.${dacsMessageId}`, () => routeToDacs(lookups, kinds, { division: allowed[0] }))
}

const noRight = 'The client has no right to the instance of what it acknowledges'
