import { appendFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { begin, downloadPath, get, healthPath, readAnswer } from './client.ts'
import { billOf, mib, openService } from './harness.ts'
import { startPacingProxy } from './pacing-proxy.ts'
import { openDirectory, remotePlaces } from './places.ts'

const healthKeptMs = 1

describe.each(Object.entries(remotePlaces))('with %s', (_, open) => {
  test('answers 500, and its health check 503, while nothing listens there, and bills as soon as something does', async () => {
    await using place = await open()
    const bill = billOf(200_000)
    await place.put('1.pdf', bill)
    const proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port), { tuning: { healthKeptMs } })
    await proxy[Symbol.asyncDispose]()
    expect(await get(service.url, downloadPath('1'))).toMatchObject({ status: 500, headers: { 'content-length': '0' } })
    expect(await get(service.url, healthPath)).toMatchObject({ status: 503, headers: { 'content-length': '0' } })
    expect(await service.metrics()).toContain('tieline_bills_failures_total{code="target-unreachable"} 1')

    await using _again = await startPacingProxy(place.port, proxy.port)
    await eventually(async () => (await get(service.url, healthPath)).status === 200)
    expect((await get(service.url, downloadPath('1'))).body.equals(bill)).toBe(true)
  })

  test('answers 500 when the source takes too long to begin, and serves again when it answers', async () => {
    await using place = await open()
    const bill = billOf(200_000)
    await place.put('1.pdf', bill)
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port), {
      tuning: { firstByteMsMax: 2_000, healthKeptMs },
    })
    await eventually(async () => (await get(service.url, downloadPath('1'))).status === 200)
    proxy.set('hold')
    expect(await get(service.url, downloadPath('1'))).toMatchObject({ status: 500, headers: { 'content-length': '0' } })
    expect(service.downloads().at(-1)).toMatchObject({ status: 500, code: 'first-byte-late', bytes: 0 })
    proxy.set('flow')
    await eventually(async () => (await get(service.url, downloadPath('1'))).body.equals(bill))
  })

  test('delivers a bill that comes slowly', async () => {
    await using place = await open()
    const bill = billOf(mib)
    await place.put('1.pdf', bill)
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port))
    expect((await get(service.url, healthPath)).status).toBe(200)
    proxy.set(4_096)
    const { whole, body } = await get(service.url, downloadPath('1'))
    expect({ whole, right: body.equals(bill) }).toEqual({ whole: true, right: true })
  })

  test('never lets a transfer that broke off look like one that is whole, wherever it breaks', async () => {
    await using place = await open()
    const bills = { large: billOf(mib), small: billOf(10_000) }
    for (const [id, bill] of Object.entries(bills)) await place.put(`${id}.pdf`, bill)
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port))
    const ends = new Set<string>()
    for (const [id, bill] of Object.entries(bills)) {
      for (const part of [0, 0.01, 0.1, 0.5, 0.9, 0.99, 1]) {
        await eventually(async () => (await get(service.url, downloadPath(id))).body.equals(bill))
        proxy.cutAfter(part * bill.length)
        const { status, whole, body } = await get(service.url, downloadPath(id))
        ends.add(`${status} ${whole ? 'whole' : 'broken'}`)
        if (status === 500) expect({ whole, length: body.length }).toEqual({ whole: true, length: 0 })
        else expect(body.equals(whole ? bill : bill.subarray(0, body.length))).toBe(true)
        if (!whole) expect(body.length).toBeLessThan(bill.length)
      }
    }
    expect(ends).toContain('200 broken')
    expect(ends).toContain('500 whole')
  })
})

describe('with a directory', () => {
  test('answers 500, and its health check 503, while it is away, and bills when it is back', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', billOf(1_000))
    await using service = await openService(place, { tuning: { healthKeptMs } })
    await rename(place.path, `${place.path}-away`)
    expect((await get(service.url, downloadPath('1'))).status).toBe(500)
    expect((await get(service.url, downloadPath('nobodys'))).status).toBe(500)
    expect((await get(service.url, healthPath)).status).toBe(503)
    await rename(`${place.path}-away`, place.path)
    expect((await get(service.url, downloadPath('1'))).status).toBe(200)
    await eventually(async () => (await get(service.url, healthPath)).status === 200)
  })

  /** Larger than what the sockets between hold, so that the service is in the middle of it while its caller reads nothing. */
  const large = billOf(16 * mib)
  const pathOf = ({ path }: { path: string }) => join(path, '1.pdf')

  test.for<[string, (file: string) => Promise<void>]>([
    ['cut short', (file) => truncate(file, 12 * mib)],
    ['continued', (file) => appendFile(file, 'more')],
    ['written anew with the same size', (file) => writeFile(file, billOf(16 * mib))],
  ])('breaks the transfer of a bill that is %s meanwhile', async ([, change]) => {
    await using place = await openDirectory()
    await place.put('1.pdf', large)
    await using service = await openService(place, { bills: { maxBytes: 100 * mib } })
    const answer = await begin(service.url, downloadPath('1'))
    await change(pathOf(place))
    const { status, whole, body } = await readAnswer(answer)
    expect({ status, whole }).toEqual({ status: 200, whole: false })
    expect(body.length).toBeLessThan(16 * mib)
    await eventually(() => service.downloads().length === 1)
    expect(service.downloads()).toMatchObject([{ status: 200, code: 'file-changed' }])
  })

  test('delivers the bill it began with when another takes its place', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', large)
    await place.put('new', billOf(10_000))
    await using service = await openService(place, { bills: { maxBytes: 100 * mib } })
    const answer = await begin(service.url, downloadPath('1'))
    await rename(join(place.path, 'new'), pathOf(place))
    const { whole, body } = await readAnswer(answer)
    expect({ whole, right: body.equals(large) }).toEqual({ whole: true, right: true })
  })
})
