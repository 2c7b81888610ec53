import { flowSpec, type InboundFlowId } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import { type ConnectionKinds, routeToDacs, routeToDerms } from '@tieline/lookups/routing'
import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { TielineError } from '@tieline/runtime/error'
import { Refusal } from './problems.ts'

/**
 * A message whose result goes back by call-back needs both ways to be known before it is accepted: without them nobody could
 * be told that there is none.
 * @throws Refusal 400 saying which way is missing
 */
export function checkRoute(
  flow: InboundFlowId,
  body: unknown,
  { lookups, connections }: { readonly lookups: LookupSnapshot; readonly connections: ConnectionKinds },
): void {
  if (flowSpec(flow).lookups.Routing !== 'refuse') return
  const by = { instance: textOf(valueAt(body, 'drmsInstanceId')) }
  for (const [target, route] of Object.entries({ DACS: routeToDacs, DERMS: routeToDerms })) {
    try {
      route(lookups, connections, by)
    } catch (error) {
      if (!(error instanceof TielineError)) throw error
      // Its own text quotes the value.
      const message = `Routing leads nowhere in ${target} for this drmsInstanceId, and there is not exactly one ${target} connection`
      throw new Refusal(400, error.code, message)
    }
  }
}
