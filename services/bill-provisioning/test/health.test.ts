import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { createHealth } from '../src/health.ts'
import { downloadPath, get, healthPath } from './client.ts'
import { billOf, mib, openService } from './harness.ts'
import { startPacingProxy } from './pacing-proxy.ts'
import { openBucket, openSftp } from './places.ts'

const checks = (url: string, count: number) =>
  Promise.all(Array.from({ length: count }, async () => (await get(url, healthPath)).status))

describe('the health check', () => {
  test('asks the source once, however many ask for it', async () => {
    await using place = await openSftp()
    await using service = await openService(place, { tuning: { healthKeptMs: 600_000 } })
    expect(new Set(await checks(service.url, 100))).toEqual(new Set([200]))
    expect(new Set(await checks(service.url, 100))).toEqual(new Set([200]))
    expect(place.server.received.map(({ operation }) => operation)).toEqual(['stat', 'stat'])
    expect(place.server.connections()).toBe(1)
  })

  test('follows the source, and tells the log of each change once', async () => {
    await using place = await openSftp()
    await using service = await openService(place, { tuning: { healthKeptMs: 1 } })
    expect(await checks(service.url, 1)).toEqual([200])
    place.server.refuseConnections(true)
    place.server.cut()
    await eventually(async () => (await checks(service.url, 1))[0] === 503)
    await eventually(async () => (await checks(service.url, 3)).every((status) => status === 503))
    place.server.refuseConnections(false)
    await eventually(async () => (await checks(service.url, 1))[0] === 200)
    const changes = service.logged.map((line) => JSON.parse(line).msg).filter((msg) => msg.includes('reached'))
    expect(changes).toEqual([
      'The source of the bills cannot be reached',
      'The source of the bills can be reached again',
    ])
  })

  test('says no when the directory or bucket is not there, or the login is refused', async () => {
    await using sftp = await openSftp()
    await using bucket = await openBucket()
    const { BILL_FILES } = sftp.connections
    const wrong = [
      { ...sftp, source: { ...sftp.source, path: 'elsewhere' } },
      { ...sftp, connections: { BILL_FILES: { ...BILL_FILES, password: 'wrong' } } },
      { ...bucket, source: { ...bucket.source, bucket: 'elsewhere' } },
      { source: { kind: 'directory', path: '/nowhere/bills' }, connections: {} },
    ]
    for (const sections of wrong) {
      await using service = await openService(sections)
      expect(await checks(service.url, 1)).toEqual([503])
      const { status } = await fetch(`${service.operationsUrl}/health/ready`)
      expect(status).toBe(503)
    }
  })

  test('is answered in time by a source that never answers, and does not ask it again meanwhile', async () => {
    let probes = 0
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const probe = () => {
      probes += 1
      return answered
    }
    const changes: boolean[] = []
    const healthy = createHealth({
      probe,
      withinMs: 1,
      keptMs: 1,
      onChange: (reachable) => changes.push(reachable),
    })
    expect(await Promise.all([healthy(), healthy()])).toEqual([false, false])
    expect(await healthy()).toBe(false)
    expect(probes).toBe(1)
    answer()
    await eventually(() => healthy())
    expect(probes).toBe(2)
    expect(changes).toEqual([false, true])
  })

  test('does not wait behind the content of bills', async () => {
    await using place = await openSftp()
    await place.put('1.pdf', billOf(2 * mib))
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port), { tuning: { healthKeptMs: 1 } })
    expect(await checks(service.url, 1)).toEqual([200])
    // 32 MiB are asked for, at 2 MiB/s: in one line with them the answer would be late.
    proxy.set(4_096)
    const gaveUp = new AbortController()
    const downloads = Array.from({ length: 16 }, () => get(service.url, downloadPath('1'), { signal: gaveUp.signal }))
    await eventually(() => place.server.received.filter(({ operation }) => operation === 'read').length === 16)
    expect(await checks(service.url, 1)).toEqual([200])
    gaveUp.abort()
    await Promise.allSettled(downloads)
  })
})
