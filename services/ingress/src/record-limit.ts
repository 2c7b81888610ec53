import type { InboundFlowId } from '@tieline/contracts/flows'
import { valueAt } from '@tieline/contracts/json-object'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { Refusal } from './problems.ts'

/** Flows whose messages are lists, each record of which is a call or an answer of its own. */
const lists: Readonly<Partial<Record<InboundFlowId, { readonly path: string; read(body: unknown): unknown }>>> = {
  'enrollment-request': { path: 'params', read: (body) => valueAt(body, 'params') },
  'enrollment-sync-ack': { path: 'responses', read: (body) => readMsgAck(body)?.responses },
}

/** @throws Refusal 413 when a message has more records than may be */
export function limitRecords(flow: InboundFlowId, body: unknown, max: number): void {
  const list = lists[flow]
  const records = list?.read(body)
  if (list === undefined || !Array.isArray(records) || records.length <= max) return
  const detail = `The message has ${records.length} records; ingress.maxRecords allows ${max}. Send them in several messages`
  throw new Refusal(413, 'too-large', detail, { errors: [{ path: list.path, rule: `at most ${max} records` }] })
}
