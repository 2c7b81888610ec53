import type { InboundFlowId } from '@tieline/contracts/flows'
import { identify } from '@tieline/contracts/identity'
import { isJsonObject, textOf, valueAt } from '@tieline/contracts/json-object'
import type { RefusedNames } from '@tieline/journal/refusals/refusals'

/** Of a refused message; it may have thousands. */
const idsMax = 20

/** What a message says of itself. It may be anything. */
export const namesOf = (body: unknown, terms: readonly string[]): RefusedNames => ({
  instance: textOf(valueAt(body, 'drmsInstanceId')),
  ids: terms.slice(0, idsMax),
})

/** The same for a body that was refused unread, if it is JSON and its beginning is all of it. */
export function namesInside(flow: InboundFlowId, client: string, beginning: Buffer): RefusedNames {
  try {
    const body: unknown = JSON.parse(beginning.toString('utf8'))
    return isJsonObject(body) ? namesOf(body, identify(flow, body, client, '').terms) : { ids: [] }
  } catch {
    return { ids: [] }
  }
}
