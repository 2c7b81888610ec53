import type { LookupName } from '@tieline/contracts/flows'
import { backoff, TielineError } from '@tieline/runtime/error'
import type { RedisConnection } from '@tieline/runtime/redis'
import { describeRedisError } from '@tieline/runtime/redis-open'
import { z } from 'zod'
import type { FirstTable } from './first-tables.ts'
import { lookupNames } from './lookup-name.ts'
import type { LookupRow } from './lookups.ts'

/** One version of one lookup. */
export interface LookupVersion {
  readonly version: number
  readonly who: string
  readonly why: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly rows: readonly LookupRow[]
}

type Entry = Omit<LookupVersion, 'version'>

/** The lookups of an installation as Redis keeps them. Every method is one atomic step. */
export interface StoredTables {
  /** Where the number of each new version is published. */
  readonly channel: string
  /** The version of the newest change; undefined when Redis holds nothing. */
  version(): Promise<number | undefined>
  /** The lookups that have rows in Redis. */
  present(): Promise<readonly string[]>
  /** Stores what is not there yet, all of it under one version; somebody else may have been faster. */
  seed(tables: readonly FirstTable[]): Promise<void>
  /** Stores a new version, unless the lookup is not at the expected one. */
  put(lookup: LookupName, entry: Entry, expected: number | undefined): Promise<{ done: boolean; version: number }>
  load(): Promise<{ version: number; current: ReadonlyMap<LookupName, LookupVersion> }>
  /** Every version of a lookup, the newest first. */
  history(lookup: LookupName): Promise<readonly LookupVersion[]>
}

/**
 * Keys, all under one hash tag so that a script may touch them together: `version` counts changes, `current` maps each
 * lookup to the version it is at, and `history:<lookup>` keeps every version, which never changes once written.
 */
export function createStoredTables(redis: RedisConnection, installation: string): StoredTables {
  const key = (name: string) => `{${installation}}:lookups:${name}`
  const head = [key('version'), key('current')]
  const historyOf = (lookup: LookupName) => key(`history:${lookup}`)
  const channel = key('changed')
  const run = async (script: string, keys: string[], args: (string | number)[]) => {
    try {
      return await redis.eval(script, keys.length, ...keys, ...args)
    } catch (error) {
      // The error of ioredis carries the command with the rows, so only its words go on.
      const reason = error instanceof Error ? describeRedisError(error) : 'no reason given'
      throw new TielineError('internal', backoff, `Redis did not confirm: ${reason}`)
    }
  }

  return {
    channel,
    async version() {
      const version = await redis.get(key('version'))
      return version === null ? undefined : Number(version)
    },
    present: () => redis.hkeys(key('current')),
    async seed(tables) {
      const at = new Date().toISOString()
      const keys = tables.map(({ lookup }) => historyOf(lookup))
      const args = tables.flatMap(({ lookup, rows, why }) => [lookup, writeEntry({ who: 'tieline', why, at, rows })])
      await run(seedScript, [...head, ...keys], [channel, ...args])
    },
    async put(lookup, entry, expected) {
      const args = [channel, lookup, writeEntry(entry), expected ?? '']
      const [done, version] = putReply.parse(await run(putScript, [...head, historyOf(lookup)], args))
      return { done: done === 1, version }
    },
    async load() {
      const reply = await run(loadScript, [...head, ...lookupNames.map(historyOf)], [...lookupNames])
      const [version, entries] = loadReply.parse(reply)
      const current = lookupNames.map((lookup, index) => {
        const [at, text] = entries[index] ?? []
        if (at === undefined || text === undefined) throw new Error(`Redis holds no rows of lookup ${lookup}`)
        return [lookup, readEntry(at, text)] as const
      })
      return { version, current: new Map(current) }
    },
    async history(lookup) {
      const entries = Object.entries(await redis.hgetall(historyOf(lookup)))
      return entries.map(([at, text]) => readEntry(Number(at), text)).sort((a, b) => b.version - a.version)
    },
  }
}

const storedEntry = z.object({
  who: z.string(),
  why: z.string(),
  at: z.string(),
  rows: z.array(z.record(z.string(), z.string())),
})

const writeEntry = (entry: Entry): string => JSON.stringify(entry)
const readEntry = (version: number, text: string): LookupVersion => ({
  version,
  ...storedEntry.parse(JSON.parse(text)),
})

const putReply = z.tuple([z.number(), z.number()])
const loadReply = z.tuple([z.coerce.number(), z.array(z.tuple([z.coerce.number(), z.string()]))])

/** KEYS: version, current, history of each lookup. ARGV: channel, then lookup and entry of each. */
const seedScript = `
local version
for i = 3, #KEYS do
  local lookup, entry = ARGV[2 * (i - 2)], ARGV[2 * (i - 2) + 1]
  if redis.call('HEXISTS', KEYS[2], lookup) == 0 then
    version = version or redis.call('INCR', KEYS[1])
    redis.call('HSET', KEYS[2], lookup, version)
    redis.call('HSET', KEYS[i], version, entry)
  end
end
if version then redis.call('PUBLISH', ARGV[1], version) end
`

/** KEYS: version, current, history. ARGV: channel, lookup, entry, expected version or nothing. */
const putScript = `
local at = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or 0)
if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= at then return { 0, at } end
local version = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[2], version)
redis.call('HSET', KEYS[3], version, ARGV[3])
redis.call('PUBLISH', ARGV[1], version)
return { 1, version }
`

/** KEYS: version, current, history of each lookup. ARGV: the lookups. */
const loadScript = `
local entries = {}
for i, lookup in ipairs(ARGV) do
  local version = redis.call('HGET', KEYS[2], lookup)
  if not version then return redis.error_reply('ERR lookup ' .. lookup .. ' has no rows') end
  entries[i] = { version, redis.call('HGET', KEYS[2 + i], version) }
end
return { redis.call('GET', KEYS[1]), entries }
`
