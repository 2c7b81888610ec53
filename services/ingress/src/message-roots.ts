import type { InboundFlowId } from '@tieline/contracts/flows'
import { isJsonObject, type JsonObject, unwrapped } from '@tieline/contracts/json-object'
import type { Installation } from '@tieline/runtime/installation'

/** The root that the contract itself has. */
const ownRoots: Readonly<Partial<Record<InboundFlowId, string>>> = {
  'enrollment-sync': 'sendDetails',
  'device-status-check': 'sendDetails',
}

/** Takes off the object that the installation says stands around the messages of a flow (`compat.roots`). */
export function createMessageRoots({ compat: { roots } }: Pick<Installation, 'compat'>) {
  return (flow: InboundFlowId, body: JsonObject): JsonObject => {
    const root = roots[flow]
    if (root === undefined) return body
    const inner = unwrapped(body, root)
    const own = ownRoots[flow]
    if (!isJsonObject(inner)) return body
    return own === undefined || Object.hasOwn(inner, own) ? inner : { [own]: inner }
  }
}
