import type { LookupName } from '@tieline/contracts/flows'
import type { Logger } from '@tieline/runtime/logger'
import type { RedisConnection } from '@tieline/runtime/redis'
import { Cluster } from 'ioredis'
import { checkRows } from './check-rows.ts'
import { readFirstTables } from './first-tables.ts'
import { createFollower } from './follower.ts'
import { lookupNames } from './lookup-name.ts'
import type { LookupRow } from './lookups.ts'
import { LookupConflict, LookupRefused } from './refusal.ts'
import { createSnapshot, defaultTables, type LookupSnapshot } from './snapshot.ts'
import { createStoredTables, type LookupVersion, type StoredTables } from './stored-tables.ts'

export interface LookupChange {
  /** Name of the operator, or of the program. */
  readonly who: string
  readonly why: string
  /** Refuse when the lookup is not at this version any more. */
  readonly expectedVersion?: number | undefined
}

export interface LookupStore extends AsyncDisposable {
  /** All lookups as they are now: take one per attempt and keep it. */
  snapshot(): LookupSnapshot
  rows(lookup: LookupName): readonly LookupRow[]
  /** The rows with their version, and who put them there and why. */
  current(lookup: LookupName): LookupVersion
  /**
   * Replaces all rows of a lookup. Every service sees them within two seconds, this one at once.
   * @returns the new version
   * @throws LookupRefused when rows, who or why break a rule
   * @throws LookupConflict when the lookup is not at the expected version
   * @throws TielineError `internal` when Redis does not answer; the change may then have been made
   */
  put(lookup: LookupName, rows: readonly LookupRow[], change: LookupChange): Promise<number>
  /** Every version of a lookup, the newest first. */
  history(lookup: LookupName): Promise<readonly LookupVersion[]>
}

interface Deps {
  /** Stays the caller's: it is not closed with the store. */
  readonly redis: RedisConnection
  readonly installation: string
  /** First values as CSV files; read only for lookups that Redis does not have. */
  readonly directory?: string | undefined
  /** Names that Routing may use; undefined: not known to this service. */
  readonly connections: ReadonlySet<string> | undefined
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** How often to look for changes whose news got lost. */
  readonly pollMs?: number
}

/**
 * Opens the lookups of an installation, fills them at the first start, and follows their changes.
 * @throws when Redis does not answer or a file of first values is wrong
 */
export async function startLookupStore(deps: Deps): Promise<LookupStore> {
  const { redis, connections, logger, pollMs = 1_000 } = deps
  const stored = createStoredTables(redis, deps.installation)
  await seedMissing(stored, deps)
  let held = await load(stored)

  const follower = createFollower({
    storedVersion: stored.version,
    heldVersion: () => held.snapshot.version,
    reload: async () => {
      held = await load(stored)
    },
    logger,
  })
  // The news is quick but can get lost with its connection; the poll is slow and cannot.
  // It subscribes by itself each time: what the library does at a new connection fails where nobody can catch it.
  const subscriber = redis instanceof Cluster ? redis.duplicate() : redis.duplicate({ autoResubscribe: false })
  subscriber.on('error', () => {}) // the poll tells it, once
  subscriber.on('ready', () => subscriber.subscribe(stored.channel).catch(() => {}))
  subscriber.on('message', () => follower.refresh())
  const poll = setInterval(() => follower.refresh(), pollMs)

  const current = (lookup: LookupName): LookupVersion => {
    const version = held.current.get(lookup)
    if (version === undefined) throw new Error(`No rows of lookup ${lookup}`)
    return version
  }
  return {
    snapshot: () => held.snapshot,
    rows: (lookup) => current(lookup).rows,
    current,
    async put(lookup, rows, { who, why, expectedVersion }) {
      if (who.trim() === '') throw new LookupRefused(lookup, [{ rule: 'who changes it must be said' }])
      if (why.trim() === '') throw new LookupRefused(lookup, [{ rule: 'why it changes must be said' }])
      const entry = { who, why, at: new Date().toISOString(), rows: checkRows(lookup, rows, connections) }
      const { done, version } = await stored.put(lookup, entry, expectedVersion)
      if (!done) throw new LookupConflict(lookup, expectedVersion ?? 0, version)
      await follower.refresh()
      return version
    },
    history: (lookup) => stored.history(lookup),
    async [Symbol.asyncDispose]() {
      clearInterval(poll)
      follower.stop()
      subscriber.disconnect()
    },
  }
}

interface Held {
  readonly snapshot: LookupSnapshot
  readonly current: ReadonlyMap<LookupName, LookupVersion>
}

async function load(stored: StoredTables): Promise<Held> {
  const { version, current } = await stored.load()
  const rows = Object.fromEntries([...current].map(([lookup, { rows }]) => [lookup, rows]))
  return { snapshot: createSnapshot({ ...defaultTables(), ...rows }, version), current }
}

async function seedMissing(stored: StoredTables, { directory, connections, logger }: Deps): Promise<void> {
  const present = await stored.present()
  const missing = lookupNames.filter((lookup) => !present.includes(lookup))
  if (missing.length === 0) return
  await stored.seed(await readFirstTables(missing, directory, connections))
  logger.info({ lookups: missing }, 'Lookups filled with their first rows')
}
