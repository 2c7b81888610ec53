import { never, TielineError } from '@tieline/runtime/error'
import type { LookupSnapshot, RoutingRow } from './snapshot.ts'

/** What a message says about its way: DERMS' instance, or the division of DACS' customer. */
export interface RoutingKey {
  readonly instance?: string | undefined
  readonly division?: string | undefined
}

/** The configured connections by name. */
export type ConnectionKinds = Readonly<Record<string, { readonly kind: string }>>

/**
 * The name of the DACS connection for a message: from the Routing row of its instance or division, else the only
 * connection to a DACS.
 * @throws TielineError `routing-missing` when there is neither, or when the row names something else
 */
export const routeToDacs = (snapshot: Routes, connections: ConnectionKinds, by: RoutingKey): string =>
  route(snapshot, connections, by, 'dacs')

/**
 * The name of the DERMS connection for a message: from the Routing row of its instance or division, else the only
 * connection to a DERMS.
 * @throws TielineError `routing-missing` when there is neither, or when the row names something else
 */
export const routeToDerms = (snapshot: Routes, connections: ConnectionKinds, by: RoutingKey): string =>
  route(snapshot, connections, by, 'derms')

type Kind = 'dacs' | 'derms'
type Routes = Pick<LookupSnapshot, 'routing'>

function route(snapshot: Routes, connections: ConnectionKinds, by: RoutingKey, kind: Kind): string {
  const routed =
    find(snapshot.routing, kind, 'instance', by.instance) ?? find(snapshot.routing, kind, 'division', by.division)
  if (routed !== undefined) {
    if (Object.hasOwn(connections, routed) && connections[routed]?.kind === kind) return routed
    throw missing(`Routing names ${routed} for ${describe(by)}, which is no ${kind} connection`)
  }
  const candidates = Object.keys(connections).filter((name) => connections[name]?.kind === kind)
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return only
  throw missing(`Routing has no row for ${describe(by)}, and there are ${candidates.length} ${kind} connections`)
}

/** The first row that has the key and names a connection of the kind. */
function find(rows: readonly RoutingRow[], kind: Kind, column: keyof RoutingKey, key: string | undefined) {
  if (!key) return undefined
  const connection = (row: RoutingRow) => (kind === 'dacs' ? row.dacsConnection : row.dermsConnection)
  const row = rows.find((row) => row[column].toLowerCase() === key.toLowerCase() && connection(row) !== '')
  return row && connection(row)
}

const missing = (message: string) => new TielineError('routing-missing', never, message)

/** Keys are codes, but what a sender puts there is cut and escaped before people read it. */
function describe({ instance, division }: RoutingKey): string {
  const keys = [
    ...(instance ? [`DRMS_Instance ${JSON.stringify(instance.slice(0, 80))}`] : []),
    ...(division ? [`DACS_CIS_Division ${JSON.stringify(division.slice(0, 80))}`] : []),
  ]
  return keys.length === 0 ? 'a message without instance and division' : keys.join(', ')
}
