import { once } from 'node:events'
import { createLogger } from '@tieline/runtime/logger'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { startBillProvisioning } from '../src/service.ts'
import { begin, downloadPath, get, healthPath, readAnswer } from './client.ts'
import { billOf, mib, openService, settingsFor } from './harness.ts'
import { startPacingProxy } from './pacing-proxy.ts'
import { openDirectory, openSftp, places } from './places.ts'

/** Larger than what the sockets between hold, so that a caller who does not read keeps the service reading. */
const large = billOf(16 * mib)
const bills = { maxBytes: 100 * mib }

describe.each(Object.entries(places))('with %s, while as many bills are read as may be', (_, open) => {
  test('a download begins, waits for its turn, and ends well', async () => {
    await using place = await open()
    const bill = billOf(100_000)
    await place.put('large.pdf', large)
    await place.put('1.pdf', bill)
    await place.put('word.pdf', 'PK is another kind of document')
    await using service = await openService(place, { bills, tuning: { readsAtOnce: 2 } })
    const stalled = [await begin(service.url, downloadPath('large')), await begin(service.url, downloadPath('large'))]

    const answer = await begin(service.url, downloadPath('1'))
    expect(answer.statusCode).toBe(200)
    const [firstBytes] = (await once(answer, 'data')) as [Buffer]
    expect(firstBytes.toString()).toBe('%PDF')
    expect((await get(service.url, downloadPath('word'))).status).toBe(500)
    expect((await get(service.url, downloadPath('nobodys'))).status).toBe(404)
    expect((await get(service.url, healthPath)).status).toBe(200)

    for (const one of stalled) one.destroy()
    const { whole, body } = await readAnswer(answer)
    expect({ whole, right: body.equals(bill.subarray(4)) }).toEqual({ whole: true, right: true })
  })
})

describe('a download', () => {
  test('is cut off when it takes longer than a transfer may', async () => {
    await using place = await openDirectory()
    await place.put('large.pdf', large)
    await using service = await openService(place, { bills, tuning: { transferMsMax: 50 } })
    const answer = await begin(service.url, downloadPath('large'))
    await eventually(() => service.downloads().length === 1)
    expect(service.downloads()).toMatchObject([{ status: 200, code: 'transfer-late', level: 'warn' }])
    expect((await readAnswer(answer)).whole).toBe(false)
  })

  test('that nobody waits for any more is given up, and no failure of ours', async () => {
    await using place = await openSftp()
    await place.put('large.pdf', large)
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port), { bills })
    const answer = await begin(service.url, downloadPath('large'))
    answer.destroy()
    await eventually(() => service.downloads().length === 1)
    proxy.set('hold')
    const gaveUp = new AbortController()
    const asked = get(service.url, downloadPath('large'), { signal: gaveUp.signal })
    await eventually(async () => /in_flight 1$/m.test(await service.metrics()))
    gaveUp.abort()
    await expect(asked).rejects.toThrow()
    await eventually(() => service.downloads().length === 2)
    for (const line of service.downloads()) expect(line).toMatchObject({ code: 'caller-gone', level: 'info' })
    const metrics = await service.metrics()
    expect(metrics).toMatch(/in_flight 0$/m)
    expect(metrics).toContain('requests_total{operation="download",status="broken"} 2')
    proxy.set('flow')
    await eventually(async () => (await get(service.url, downloadPath('large'))).body.equals(large))
  })

  test('is refused at once when too many are in flight', async () => {
    await using place = await openSftp()
    await place.put('1.pdf', billOf(1_000))
    await using proxy = await startPacingProxy(place.port)
    await using service = await openService(place.through(proxy.port), { tuning: { inFlightMax: 40 } })
    proxy.set('hold')
    const waiting = Promise.all(Array.from({ length: 40 }, () => get(service.url, downloadPath('1'))))
    await eventually(async () => /in_flight 40$/m.test(await service.metrics()))
    expect((await get(service.url, downloadPath('1'))).status).toBe(500)
    expect(service.downloads()).toMatchObject([{ code: 'too-many-downloads', status: 500 }])
    proxy.set('flow')
    expect((await waiting).every(({ status, whole }) => status === 200 && whole)).toBe(true)
  })

  test('takes the size limit and the file names from the installation file', async () => {
    await using place = await openDirectory()
    await place.put('bill-7.of.7.pdf', billOf(1_000))
    await place.put('bill-8.of.8.pdf', billOf(1_001))
    await using service = await openService(place, {
      bills: { namePattern: 'bill-{bill_id}.of.{bill_id}.pdf', maxBytes: 1_000 },
    })
    expect((await get(service.url, downloadPath('7'))).status).toBe(200)
    expect((await get(service.url, downloadPath('8'))).status).toBe(500)
  })

  test('has as long for its first byte as the installation file says', async () => {
    await using place = await openSftp()
    await place.put('1.pdf', billOf(1_000))
    await using proxy = await startPacingProxy(place.port)
    const logged: string[] = []
    const logger = createLogger({
      service: 'test',
      level: 'info',
      destination: { write: (line: string) => void logged.push(line) },
    })
    const settings = settingsFor(place.through(proxy.port), { firstByteWithinS: 1 })
    await using service = await startBillProvisioning(settings, { graceMs: 0, logger })
    proxy.set('hold')
    expect((await get(service.url, downloadPath('1'))).status).toBe(500)
    const [line] = logged.map((line) => JSON.parse(line)).filter(({ operation }) => operation === 'download')
    expect(line).toMatchObject({ code: 'first-byte-late' })
    expect(line.ms).toBeGreaterThan(900)
    expect(line.ms).toBeLessThan(4_500)
    proxy.set('flow')
  })
})
