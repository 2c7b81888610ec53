import type { InboundFlowId } from '@tieline/contracts/flows'
import type { Identity } from '@tieline/contracts/identity'
import { type JsonObject, textOf, valueAt } from '@tieline/contracts/json-object'
import { findByTerms } from '@tieline/journal/find-by-term'
import type { Journal } from '@tieline/journal/journal'
import type { Incoming } from '@tieline/journal/types'
import { type KnownSites, speaksForDivision } from '@tieline/lookups/speaks-for'
import type { Client } from '@tieline/runtime/installation'
import { comeAgain, Refusal } from './problems.ts'

/** What tells for which instance of DERMS a message of a flow speaks: itself, the division of DACS' message, or what it answers. */
const speaksBy: Readonly<Record<InboundFlowId, 'instance' | 'division' | 'request'>> = {
  'enrollment-request': 'instance',
  'enrollment-sync': 'division',
  'enrollment-sync-ack': 'request',
  'device-status-check': 'division',
  'device-status-ack': 'request',
  'event-reservation': 'instance',
  'stage-status': 'instance',
  'event-outcome': 'instance',
}

/** @throws Refusal 403 when the client may not start the flow */
export function requireFlow(client: Client, flow: InboundFlowId): void {
  if (client.flows.includes(flow)) return
  throw notAllowed(`The client has no right to the flow ${flow}`)
}

/**
 * The message with the instance that it speaks for: where it names none, that is the only one of its client. Messages that find
 * their instance by division or request stay as they are; see `requireDivision` and `requestsOf`.
 * @throws Refusal 403 when it speaks for an instance that is not the client's, or for none of several
 */
export function withInstance({ instances }: Client, flow: InboundFlowId, body: JsonObject): JsonObject {
  if (instances === undefined) return body
  const named = textOf(valueAt(body, 'drmsInstanceId'))
  if (named !== undefined && !instances.includes(named))
    throw notAllowed('The client has no right to speak for this drmsInstanceId')
  if (named !== undefined || speaksBy[flow] !== 'instance') return body
  const [only] = instances
  if (only !== undefined && instances.length === 1) return { ...body, drmsInstanceId: only }
  throw notAllowed(
    'The client may speak for several instances, and the message has no drmsInstanceId that says for which',
  )
}

/** @throws Refusal 403 when the division of the message is that of an instance that is not the client's */
export function requireDivision(
  client: Client,
  flow: InboundFlowId,
  { division }: Pick<Identity, 'division'>,
  sites: KnownSites,
): void {
  if (speaksBy[flow] !== 'division' || speaksForDivision(client, division, sites)) return
  throw notAllowed(`The client has no right to the instance of this division. ${hint}`)
}

/**
 * What an acknowledgment answers: of several requests with the same id those alone to which the client has the right.
 * @throws Refusal 403 when there is no such request, or nobody knows whose the request is; 503
 */
export async function requestsOf(
  client: Client,
  { answers }: Pick<Identity, 'answers'>,
  { journal, sites }: { readonly journal: Journal; readonly sites: KnownSites },
): Promise<Pick<Incoming, 'answers'>> {
  if (answers === undefined) return {}
  // Who may speak for every instance needs no look at the requests, which would cost each message two trips to Redis.
  if (speaksForDivision(client, undefined, sites)) return { answers }
  const requests = await findByTerms(journal, answers.flow, answers.terms).catch((error: unknown) => {
    throw comeAgain('store-unavailable', 'The request could not be looked for', error)
  })
  const keys = requests.flatMap((found) => {
    const own = found.filter(({ division }) => speaksForDivision(client, division, sites))
    const allowed = found.length === 0 ? speaksForDivision(client, undefined, sites) : own.length > 0
    if (!allowed) throw notAllowed(`The client has no right to the instance of what it acknowledges. ${hint}`)
    return own.map(({ key }) => key)
  })
  return { answers: { ...answers, keys } }
}

const hint = 'Lookup Routing says which instance a division belongs to'

const notAllowed = (message: string) => new Refusal(403, 'not-allowed', message)
