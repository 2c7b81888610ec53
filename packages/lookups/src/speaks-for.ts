import { type ConnectionKinds, routeToDerms } from './routing.ts'
import type { LookupSnapshot } from './snapshot.ts'

/** A client of the ingress: the instances of DERMS that it may speak for. Without any it may speak for all. */
export interface Speaker {
  readonly instances?: readonly string[] | undefined
}

export interface KnownSites {
  readonly lookups: Pick<LookupSnapshot, 'routing'>
  readonly connections: ConnectionKinds
  /** All clients of the ingress. */
  readonly clients: readonly Speaker[]
}

/**
 * Whether a client may have to do with a message that DACS sent, or with what it was about. Only its division tells whose it is: by
 * Routing it belongs to the instance of the division, or else to all instances of the DERMS that the division leads to. Where
 * nothing tells, as when the message is not known, it may belong to any instance that Routing and the clients name, so the client
 * needs the right to all of them.
 * @param division undefined: not known
 */
export function speaksForDivision({ instances }: Speaker, division: string | undefined, sites: KnownSites): boolean {
  if (instances === undefined) return true
  const own = new Set(instances.map(plain))
  return (ownersOf(division, sites) ?? allInstances(sites)).every((instance) => own.has(plain(instance)))
}

/** The instances that Routing names for a division; undefined when it names none. */
function ownersOf(division: string | undefined, { lookups, connections }: KnownSites): readonly string[] | undefined {
  if (!division) return undefined
  const rows = lookups.routing.filter(({ instance }) => instance !== '')
  const named = rows.filter((row) => plain(row.division) === plain(division))
  if (named.length > 0) return named.map(({ instance }) => instance)
  const derms = dermsOf(division, { lookups, connections })
  const behind = rows.filter(({ dermsConnection }) => dermsConnection !== '' && dermsConnection === derms)
  return behind.length > 0 ? behind.map(({ instance }) => instance) : undefined
}

function dermsOf(division: string, { lookups, connections }: Omit<KnownSites, 'clients'>): string | undefined {
  try {
    return routeToDerms(lookups, connections, { division })
  } catch {
    return undefined
  }
}

const allInstances = ({ lookups, clients }: KnownSites): readonly string[] => [
  ...lookups.routing.map(({ instance }) => instance).filter((instance) => instance !== ''),
  ...clients.flatMap(({ instances = [] }) => instances),
]

/** Keys of Routing are compared without case. */
const plain = (key: string) => key.toLowerCase()
