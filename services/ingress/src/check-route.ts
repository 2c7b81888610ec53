import { flowSpec, type InboundFlowId } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { type ConnectionKinds, routeToDacs, routeToDerms } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { TielineError } from '@tieline/runtime/error'
import { Refusal } from './problems.ts'

/**
 * A message whose result goes back by call-back needs both ways to be known before it is accepted: without them nobody could
 * be told that there is none.
 * @throws Refusal 400 naming the missing row of Routing
 */
export function checkRoute(
  flow: InboundFlowId,
  body: unknown,
  { lookups, connections }: { readonly lookups: LookupSnapshot; readonly connections: ConnectionKinds },
): void {
  if (flowSpec(flow).lookups.Routing !== 'refuse') return
  const by = { instance: textOf(valueAt(body, 'drmsInstanceId')) }
  try {
    routeToDacs(lookups, connections, by)
    routeToDerms(lookups, connections, by)
  } catch (error) {
    if (!(error instanceof TielineError)) throw error
    throw new Refusal(400, error.code, error.message)
  }
}
