import { ConfigurationError } from './configuration-error.ts'

/** Where Redis is, read from `REDIS_URL`. */
export interface RedisAddress {
  readonly mode: 'single' | 'sentinel' | 'cluster'
  /** Empty when there is a socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** Path of a Unix socket. */
  readonly socket?: string
  readonly tls: boolean
  readonly db: number
  readonly username?: string
  readonly password?: string
  /** Name of the master that the sentinels watch. */
  readonly masterName?: string
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
  /** The address without user, password and query: what logs and errors may show. */
  readonly shown: string
}

/**
 * Reads the five forms of `REDIS_URL`:
 * `redis+unix://user:password@/path/of/socket?db=0`,
 * `redis://` and `rediss://user:password@host:6379/db`,
 * `redis-sentinel://user:password@h1:26379,h2:26379/master?db=0&tls=true&sentinelPassword=…`,
 * `redis-cluster://user:password@h1:7000,h2:7001?tls=true`.
 * Throws a ConfigurationError that names the fault and never shows the URL, because it may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const socketParts = /^redis\+unix:\/\/(?:(.*)@)?(\/[^?]+)(?:\?(.*))?$/s.exec(url)
  if (socketParts !== null) return parseSocket(socketParts)
  // Greedy up to the last "@", so that an unescaped "/" or "@" in a password is not taken for a host.
  const parts = /^(rediss?|redis-sentinel|redis-cluster):\/\/(?:(.*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url)
  const [, scheme, user, hostList, path = '', queryText = ''] = parts ?? []
  if (scheme === undefined || hostList === undefined) throw fault('it is none of the known forms')
  const mode = modes[scheme] ?? 'single'
  const hosts = hostList.split(',').map((host) => parseHost(host, mode === 'sentinel' ? 26_379 : 6379))
  if (mode === 'single' && hosts.length > 1) throw fault(`${scheme}:// takes one host`)
  if (mode === 'sentinel' && path === '') throw fault('the name of the master is missing after the hosts')
  if (mode === 'cluster' && path !== '') throw fault('a cluster has neither a master name nor databases')

  const query = parseQuery(queryText, mode)
  const [username, password] = parseUser(user)
  return {
    mode,
    hosts,
    tls: scheme === 'rediss' || parseFlag(query.get('tls')),
    db: parseDatabase(query.get('db') ?? (mode === 'single' ? path : '')),
    shown: `${scheme}://${hostList}${path === '' ? '' : `/${path}`}`,
    ...optional({ username, password, masterName: mode === 'sentinel' ? decode(path) : undefined }),
    ...optional({
      sentinelUsername: query.get('sentinelUsername') ?? undefined,
      sentinelPassword: query.get('sentinelPassword') ?? undefined,
    }),
  }
}

function parseSocket([, user, path = '', queryText = '']: readonly (string | undefined)[]): RedisAddress {
  const query = parseQuery(queryText, 'single')
  const [username, password] = parseUser(user)
  return {
    mode: 'single',
    hosts: [],
    socket: decode(path),
    tls: false,
    db: parseDatabase(query.get('db') ?? ''),
    shown: `redis+unix://${path}`,
    ...optional({ username, password }),
  }
}

/** The `REDIS_URL` of the Redis at a Unix socket. */
export const socketUrl = (path: string): string => `redis+unix://${path.split('/').map(encodeURIComponent).join('/')}`

function parseQuery(text: string, mode: RedisAddress['mode']): URLSearchParams {
  const query = new URLSearchParams(text)
  for (const name of query.keys()) if (!parameters[mode].has(name)) throw fault(`it has an unknown parameter "${name}"`)
  return query
}

const modes: Record<string, RedisAddress['mode']> = { 'redis-sentinel': 'sentinel', 'redis-cluster': 'cluster' }

const parameters = {
  single: new Set(['db']),
  sentinel: new Set(['db', 'tls', 'sentinelUsername', 'sentinelPassword']),
  cluster: new Set(['tls']),
}

const fault = (what: string) =>
  new ConfigurationError(
    `REDIS_URL cannot be used: ${what}. Known are redis://, rediss://, redis+unix://, redis-sentinel:// and redis-cluster://.`,
    [],
  )

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === undefined) throw fault('a host is not of the form name:port')
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) }
}

function parseUser(user: string | undefined): [username: string | undefined, password: string | undefined] {
  if (user === undefined || user === '') return [undefined, undefined]
  const colon = user.indexOf(':')
  if (colon === -1) return [decode(user), undefined]
  return [decode(user.slice(0, colon)) || undefined, decode(user.slice(colon + 1))]
}

function parseDatabase(text: string): number {
  if (!/^\d{0,4}$/.test(text)) throw fault('the database is not a number')
  return Number(text)
}

function parseFlag(text: string | null): boolean {
  if (text !== null && text !== 'true' && text !== 'false') throw fault('tls is neither true nor false')
  return text === 'true'
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw fault('user, password or master name is not percent-encoded properly')
  }
}

/** Leaves out what is undefined: with exact optional properties, absent and undefined differ. */
function optional<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string
  }
}
