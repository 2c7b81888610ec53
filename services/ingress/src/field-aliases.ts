import type { InboundFlowId } from '@tieline/contracts/flows'
import { isJsonObject, type JsonObject } from '@tieline/contracts/json-object'
import type { Installation } from '@tieline/runtime/installation'

/**
 * Gives fields that a sender names otherwise the names of the contract, at any depth. A field that is there under both names
 * keeps the one of the contract. The acknowledgments of DERMS have the names that it reads in ours.
 */
export function createFieldAliases({ compat: { fieldAliases, msgAckNames } }: Pick<Installation, 'compat'>) {
  const byFlow = new Map<string, ReadonlyMap<string, string>>(
    Object.entries(fieldAliases).map(([flow, names]) => [flow, new Map(Object.entries(names))]),
  )
  const ofAcks = Object.entries(msgAckNames).flatMap(([name, theirs]) =>
    theirs === name ? [] : [[theirs, name] as const],
  )
  if (ofAcks.length > 0)
    byFlow.set('enrollment-sync-ack', new Map([...ofAcks, ...(byFlow.get('enrollment-sync-ack') ?? [])]))
  return (flow: InboundFlowId, body: JsonObject): JsonObject => {
    const names = byFlow.get(flow)
    return names === undefined ? body : renameFields(body, names)
  }
}

// `fromEntries` defines fields, so that one called `__proto__` stays a field.
const renameFields = (object: JsonObject, names: ReadonlyMap<string, string>): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([field, value]) => {
      const name = names.get(field)
      return [name === undefined || Object.hasOwn(object, name) ? field : name, renameInside(value, names)]
    }),
  )

function renameInside(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renameInside(item, names))
  return isJsonObject(value) ? renameFields(value, names) : value
}
