import { keysMatching } from '@tieline/testkit/keys-matching'
import { describe, expect, it, vi } from 'vitest'
import { lookupNames } from '../src/lookup-name.ts'
import { lookups } from '../src/lookups.ts'
import { LookupConflict, LookupRefused } from '../src/refusal.ts'
import { createInstallation, onCluster } from './harness.ts'
import { property, routingRow } from './rows.ts'

const byOps = { who: 'ops', why: 'new season' }
const planned = [...lookups.StageStatus.defaults, { DRMS_StageStatus: 'PLANNED', DACS_StageStatus: 'X1SD' }]
/** Long enough never to happen in a test: only the news can tell. */
const neverMs = 3_600_000

describe('a change of a lookup', () => {
  it('is seen at once by the store that made it', async () => {
    await using here = createInstallation()
    const store = await here.open()
    expect(store.snapshot().version).toBe(1)
    expect(await store.put('StageStatus', planned, byOps)).toBe(2)
    expect(store.snapshot().version).toBe(2)
    expect(store.snapshot().find('StageStatus', 'PLANNED')).toBe('X1SD')
    expect(store.rows('StageStatus')).toEqual(planned)
  })

  it('never changes a snapshot that somebody holds', async () => {
    await using here = createInstallation()
    const store = await here.open()
    const held = store.snapshot()
    await store.put('StageStatus', planned, byOps)
    expect(held.version).toBe(1)
    expect(held.find('StageStatus', 'PLANNED')).toBeUndefined()
  })

  it('is seen by every other service as soon as the news is out', async () => {
    await using here = createInstallation()
    // One connection that fails fast, as ingresses have, and one that waits, as workers have.
    const failFast = { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 900 }
    const other = await here.open({ pollMs: neverMs, redis: failFast })
    const one = await here.open({ pollMs: neverMs, redis: { maxRetriesPerRequest: null } })
    const redis = here.connect()
    await vi.waitFor(async () => expect(await here.subscribers(redis)).toHaveLength(2))
    await one.put('StageStatus', planned, byOps)
    await vi.waitFor(() => expect(other.snapshot().find('StageStatus', 'PLANNED')).toBe('X1SD'), { timeout: 2_000 })
  })

  it.skipIf(onCluster())('is seen by every other service within two seconds also when the news is lost', async () => {
    await using here = createInstallation()
    // A connection that is cut stays cut, so the news certainly finds nobody.
    const other = await here.open({ redis: { retryStrategy: () => null } })
    const one = await here.open({ redis: { connectionName: 'other' } })
    const redis = here.connect()
    const subscribed = await vi.waitUntil(async () => (await here.subscribers(redis))[0])
    await subscribed.cut()
    await vi.waitFor(async () => expect(await here.subscribers(redis)).toEqual([]))

    await one.put('StageStatus', planned, byOps)
    await vi.waitFor(() => expect(other.snapshot().find('StageStatus', 'PLANNED')).toBe('X1SD'), { timeout: 2_000 })
  })

  it('is seen after the subscription was cut and came back', async () => {
    await using here = createInstallation()
    const one = await here.open({ pollMs: neverMs, redis: { connectionName: 'other' } })
    const other = await here.open({ pollMs: neverMs })
    const redis = here.connect()
    const cut = await vi.waitUntil(async () => (await here.subscribers(redis))[0])
    await cut.cut()
    await vi.waitUntil(async () => (await here.subscribers(redis)).some(({ id }) => id !== cut.id), { timeout: 5_000 })
    await one.put('StageStatus', planned, byOps)
    await vi.waitFor(() => expect(other.snapshot().version).toBe(2), { timeout: 2_000 })
  })

  it('is never lost among many that come together', async () => {
    await using here = createInstallation()
    const stores = await Promise.all([here.open(), here.open(), here.open()])
    const puts = stores.flatMap((store) =>
      lookupNames.map(async (lookup) => {
        const version = await store.put(lookup, store.rows(lookup), byOps)
        expect(store.snapshot().version).toBeGreaterThanOrEqual(version)
        return version
      }),
    )
    const versions = await Promise.all(puts)
    expect(versions.toSorted((a, b) => a - b)).toEqual(versions.map((_, index) => index + 2))
    for (const store of stores) {
      await vi.waitFor(() => expect(store.snapshot().version).toBe(versions.length + 1), { timeout: 2_000 })
    }
  })

  it('is kept for those who start later', async () => {
    await using here = createInstallation()
    const first = await here.open()
    await first.put('Email_ID', [property('To', 'a@one.example')], byOps)
    const later = await here.open()
    expect(later.snapshot().mail.to).toEqual(['a@one.example'])
  })

  it('never reaches another installation', async () => {
    await using here = createInstallation()
    await using there = createInstallation()
    const [ours, theirs] = await Promise.all([here.open(), there.open()])
    await ours.put('StageStatus', planned, byOps)
    const late = await there.open()
    for (const store of [theirs, late]) expect(store.snapshot().find('StageStatus', 'PLANNED')).toBeUndefined()
  })

  it('stays under the hash tag of its installation', async () => {
    await using here = createInstallation()
    const store = await here.open()
    await store.put('StageStatus', planned, byOps)
    const keys = await keysMatching(here.connect(), `*${here.installation}*`)
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect(key.startsWith(`{${here.installation}}:lookups:`)).toBe(true)
  })
})

describe('two editors', () => {
  it('never overwrite each other silently', async () => {
    await using here = createInstallation()
    const [one, other] = await Promise.all([here.open(), here.open()])
    const expectedVersion = one.current('StageStatus').version
    const results = await Promise.allSettled([
      one.put('StageStatus', planned, { ...byOps, expectedVersion }),
      other.put('StageStatus', [], { ...byOps, expectedVersion }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refusal = results.find((result) => result.status === 'rejected')?.reason
    expect(refusal).toBeInstanceOf(LookupConflict)
    expect(refusal).toMatchObject({ lookup: 'StageStatus', currentVersion: 2 })
    expect(await one.history('StageStatus')).toHaveLength(2)
  })

  it('of different lookups do not get into each other’s way', async () => {
    await using here = createInstallation()
    const store = await here.open()
    const expectedVersion = store.current('StageStatus').version
    await store.put('Email_ID', [property('To', 'a@one.example')], byOps)
    expect(await store.put('StageStatus', planned, { ...byOps, expectedVersion })).toBe(3)
    expect(store.current('Email_ID').version).toBe(2)
  })
})

describe('the history of a lookup', () => {
  it('keeps every version with who, why, when and its rows, the newest first', async () => {
    await using here = createInstallation()
    const store = await here.open()
    const before = Date.now()
    await store.put('StageStatus', planned, byOps)
    await store.put('Email_ID', [], byOps)
    await store.put('StageStatus', [], { who: 'admin', why: 'trial' })

    const history = await store.history('StageStatus')
    expect(history.map(({ version, who, why, rows }) => ({ version, who, why, rows }))).toEqual([
      { version: 4, who: 'admin', why: 'trial', rows: [] },
      { version: 2, who: 'ops', why: 'new season', rows: planned },
      { version: 1, who: 'tieline', why: 'First start: defaults', rows: lookups.StageStatus.defaults },
    ])
    for (const { version, at } of history) {
      if (version > 1) expect(Date.parse(at)).toBeGreaterThanOrEqual(before)
    }
    expect(store.current('StageStatus')).toEqual(history[0])
  })
})

describe('a refused change', () => {
  it('leaves the lookup, its version and its history as they were', async () => {
    await using here = createInstallation()
    const store = await here.open({ connections: new Set(['DERMS_A']) })
    const refused = [
      store.put('Routing', [routingRow('SITE1', 'DERMS_X', 'CA', '')], byOps),
      store.put('ConfigProps', [property('enrollmentSyncAckDelay', 'soon')], byOps),
      store.put('StageStatus', planned, { who: 'ops', why: ' ' }),
      store.put('StageStatus', planned, { who: '', why: 'new season' }),
    ]
    for (const { status, reason } of (await Promise.allSettled(refused)) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected')
      expect(reason).toBeInstanceOf(LookupRefused)
    }
    expect(store.snapshot().version).toBe(1)
    for (const lookup of ['Routing', 'ConfigProps', 'StageStatus'] as const) {
      expect(await store.history(lookup)).toHaveLength(1)
    }
  })
})

describe('when Redis cannot be read', () => {
  it('what is held stays in use, it is said once, and so is the end of it', async () => {
    await using here = createInstallation()
    const store = await here.open({ pollMs: 10 })
    const redis = here.connect()
    const version = `{${here.installation}}:lookups:version`
    const said = (level: string) => here.logged.filter((line) => line.level === level).map(({ text }) => text)
    const before = said('info').length

    await redis.rename(version, `${version}:away`)
    await vi.waitFor(() => expect(said('warn')).toEqual(['Lookups cannot be read; version 1 stays in use']))
    expect(store.snapshot().find('StageStatus', 'SCHEDULED')).toBe('X1SD')
    await redis.rename(`${version}:away`, version)
    await vi.waitFor(() => expect(said('info').slice(before)).toEqual(['Lookups can be read again']))
    expect(said('warn')).toHaveLength(1)
  })

  it('a change fails without showing its rows', async () => {
    await using here = createInstallation()
    const store = await here.open()
    await here.connect().set(`{${here.installation}}:lookups:history:AssetSpec:x`, '')
    await here
      .connect()
      .rename(`{${here.installation}}:lookups:history:AssetSpec:x`, `{${here.installation}}:lookups:history:Email_ID`)
    const failure = await store.put('Email_ID', [property('To', 'marked@one.example')], byOps).catch((error) => error)
    expect(failure).toMatchObject({ code: 'internal', retry: { kind: 'backoff' } })
    expect(JSON.stringify([failure, failure.message, failure.stack, failure.cause])).not.toContain('marked')
  })
})

describe('a closed store', () => {
  it('leaves no subscription behind and does not close a connection that is not its own', async () => {
    await using here = createInstallation()
    const redis = here.connect()
    {
      await using _store = await here.open()
      await vi.waitFor(async () => expect(await here.subscribers(redis)).toHaveLength(1))
    }
    await vi.waitFor(async () => expect(await here.subscribers(redis)).toEqual([]))
    expect(await redis.ping()).toBe('PONG')
  })
})
