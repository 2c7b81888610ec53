import { type Fault, formatPath } from './faults.ts'
import { nameForm } from './installation-fields.ts'

/**
 * Rules between parts of the installation file: names that must be unique or must exist.
 * They read the document as it stands, whatever else is wrong with it, so that one report holds every fault.
 */
export function crossFaults(document: unknown): Fault[] {
  return [
    ...repeated(document, ['ingress', 'clients'], 'name', 'is the name of an earlier client'),
    ...repeated(document, ['console', 'users'], 'name', 'is the name of an earlier user'),
    ...repeated(document, ['agents'], 'name', 'is the name of an earlier agent'),
    ...viaFaults(document),
    ...repeated(document, ['deviceScore'], 'name', 'is the name of an earlier transfer'),
    // Both would send each of its files.
    ...repeated(document, ['deviceScore'], 'source', 'is the source of an earlier transfer'),
    ...sharedUsernames(document),
    ...connectionNameFaults(document),
    ...referenceFaults(document),
    ...replayFaults(document),
  ]
}

/** Values of one key that an earlier item of a list has too. */
function repeated(document: unknown, list: readonly string[], key: string, rule: string): Fault[] {
  const seen = new Set<unknown>()
  return itemsAt(document, list).flatMap((item, index) => {
    const value = at(item, [key])
    if (typeof value !== 'string' || !seen.has(value)) {
      seen.add(value)
      return []
    }
    return [{ path: formatPath([...list, index, key]), rule }]
  })
}

/** One user name for two clients would make it a matter of chance who a caller is; one client may have it twice, to rotate. */
function sharedUsernames(document: unknown): Fault[] {
  const owners = new Map<unknown, number>()
  return itemsAt(document, ['ingress', 'clients']).flatMap((client, clientIndex) =>
    itemsAt(client, ['credentials']).flatMap((credential, index) => {
      const username = at(credential, ['basic', 'username'])
      if (typeof username !== 'string') return []
      const owner = owners.get(username) ?? clientIndex
      owners.set(username, owner)
      if (owner === clientIndex) return []
      const path = ['ingress', 'clients', clientIndex, 'credentials', index, 'basic', 'username']
      return [{ path: formatPath(path), rule: 'is the user name of another client' }]
    }),
  )
}

/** Not a rule of the schema, because zod does not look into an entry whose key is refused. */
function connectionNameFaults(document: unknown): Fault[] {
  const connections = at(document, ['connections'])
  if (typeof connections !== 'object' || connections === null) return []
  return Object.keys(connections)
    .filter((name) => !nameForm.pattern.test(name))
    .map((name) => ({ path: formatPath(['connections', name]), rule: nameForm.rule }))
}

/** A connection through an agent needs the agent, the gateway, and no other way. */
function viaFaults(document: unknown): Fault[] {
  const connections = at(document, ['connections'])
  if (typeof connections !== 'object' || connections === null) return []
  const agents = itemsAt(document, ['agents']).map((agent) => at(agent, ['name']))
  return Object.keys(connections).flatMap((name) => {
    const via = at(document, ['connections', name, 'via'])
    if (typeof via !== 'string') return []
    const path = formatPath(['connections', name, 'via'])
    const rules = [
      ...(agents.includes(via) ? [] : ['must name one of agents']),
      ...(at(document, ['gateway']) === undefined ? ['needs the section gateway'] : []),
      ...((at(document, ['connections', name, 'proxy']) ?? '') === '' ? [] : ['must not stand beside proxy']),
    ]
    return rules.map((rule) => ({ path, rule }))
  })
}

function referenceFaults(document: unknown): Fault[] {
  const check = (path: readonly PropertyKey[], kinds: readonly string[]): Fault[] => {
    const name = at(document, path)
    if (typeof name !== 'string') return []
    const kind = at(document, ['connections', name, 'kind'])
    return kinds.some((known) => known === kind)
      ? []
      : [{ path: formatPath(path), rule: `must name a connection of kind ${kinds.join(' or ')}` }]
  }

  const transfers = itemsAt(document, ['deviceScore']).flatMap((_, index) => [
    ...check(['deviceScore', index, 'source'], ['sftp', 'oci-object-storage', 'directory']),
    ...check(['deviceScore', index, 'target'], ['derms']),
  ])
  const billsKind = at(document, ['bills', 'source', 'kind'])
  return [
    ...transfers,
    ...check(['payloads', 'connection'], ['oci-object-storage']),
    ...check(['bills', 'source', 'connection'], typeof billsKind === 'string' ? [billsKind] : []),
  ]
}

/** A reply is stored with its message, so it cannot be repeated for longer than the message is kept. */
function replayFaults(document: unknown): Fault[] {
  const days = at(document, ['retention', 'messagesDays'])
  const hours = at(document, ['retention', 'replayHours']) ?? 24
  if (typeof days !== 'number' || typeof hours !== 'number' || hours <= days * 24) return []
  return [{ path: 'retention.replayHours', rule: 'must not be longer than messagesDays' }]
}

const itemsAt = (node: unknown, path: readonly PropertyKey[]): readonly unknown[] => {
  const found = at(node, path)
  return Array.isArray(found) ? found : []
}

/** The value below a node, as far as the document has the expected shape. */
function at(node: unknown, path: readonly PropertyKey[]): unknown {
  let current = node
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = Reflect.get(current, key)
  }
  return current
}
