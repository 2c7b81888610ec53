import type { InboundFlowId } from '@tieline/contracts/flows'
import { textOf, valueAt } from '@tieline/contracts/json-object'
import type { Client } from '@tieline/runtime/installation'
import { Refusal } from './problems.ts'

/** @throws Refusal 403 when the client may not start the flow */
export function requireFlow(client: Client, flow: InboundFlowId): void {
  if (client.flows.includes(flow)) return
  throw new Refusal(403, 'not-allowed', `The client has no right to the flow ${flow}`)
}

/**
 * A message that names no instance is taken as the client's own.
 * @throws Refusal 403 when the message speaks for an instance that is not the client's
 */
export function requireInstance(client: Client, body: unknown): void {
  const instance = textOf(valueAt(body, 'drmsInstanceId'))
  if (client.instances === undefined || instance === undefined || client.instances.includes(instance)) return
  throw new Refusal(403, 'not-allowed', 'The client has no right to speak for this drmsInstanceId')
}
