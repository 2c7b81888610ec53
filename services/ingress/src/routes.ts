import { flowSpec, type InboundFlowId, inboundFlowIds } from '@tieline/contracts/flows'

/**
 * The flow that is served under a path: its own paths, and the URLs under which installations reach it today, whatever
 * version of the URL, adapter, project and version of the process they name (docs/wire-facts.md, Endpoints of the
 * integration). Slashes may be doubled, and one may stand at the end.
 */
export function findFlow(path: string): InboundFlowId | undefined {
  const plain = path.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  return ownPaths.get(plain) ?? findOicFlow(plain)
}

function findOicFlow(path: string): InboundFlowId | undefined {
  const [, processId, uri] = oicForm.exec(path) ?? []
  return oicPaths.get(`${processId}${uri}`)
}

const oicForm =
  /^\/ic\/api\/integration\/v[12]\/flows\/(?:oracleutilities|rest)(?:\/project\/[^/]+)?\/([^/]+)\/[^/]+(\/.+)$/

const ownPaths = new Map(inboundFlowIds.flatMap((id) => flowSpec(id).paths.map((path) => [path, id])))

const oicPaths = new Map(
  inboundFlowIds.flatMap((id) => flowSpec(id).oicPaths.map(({ processId, uri }) => [`${processId}${uri}`, id])),
)
