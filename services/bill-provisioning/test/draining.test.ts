import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, test } from 'vitest'
import { startBalancer } from './balancer.ts'
import { begin, downloadPath, get, healthPath, keepingAgent, readAnswer } from './client.ts'
import { billOf, mib, openService } from './harness.ts'
import { openDirectory } from './places.ts'
import { startProgram } from './program.ts'

describe('of two instances behind a balancer', () => {
  test('one is stopped under load, and no request fails', async () => {
    await using place = await openDirectory()
    const bill = billOf(100_000)
    await place.put('1.pdf', bill)
    const options = { bills: { behindProxy: true }, tuning: { graceMs: 3_000 } }
    const first = await openService(place, options)
    await using second = await openService(place, { ...options, tuning: { graceMs: 0 } })
    await using balancer = await startBalancer([first.url, second.url])

    let over = false
    const failures: unknown[] = []
    const callers = Array.from({ length: 8 }, async () => {
      using agent = keepingAgent()
      while (!over) {
        const got = await get(balancer.url, downloadPath('1'), { agent }).catch((error: unknown) => ({ error }))
        if (!('whole' in got && got.whole && got.status === 200 && got.body.equals(bill))) failures.push(got)
      }
    })
    await eventually(() => first.downloads().length > 20 && second.downloads().length > 20)
    await first[Symbol.asyncDispose]()
    const served = second.downloads().length
    await eventually(() => second.downloads().length > served + 50)
    over = true
    await Promise.all(callers)
    expect(failures).toEqual([])
    expect([...balancer.healthy]).toEqual([second.url])
  })
})

describe('an instance that is told to stop', () => {
  test('says so in its health check, and goes on serving meanwhile, on no connection twice', async () => {
    await using place = await openDirectory()
    await place.put('1.pdf', billOf(1_000))
    const service = await openService(place, { bills: { behindProxy: true }, tuning: { graceMs: 3_000 } })
    using agent = keepingAgent()
    expect(await get(service.url, healthPath, { agent })).toMatchObject({
      status: 200,
      headers: { connection: 'keep-alive' },
    })
    const stopped = service[Symbol.asyncDispose]()
    expect(await get(service.url, healthPath, { agent })).toMatchObject({
      status: 503,
      headers: { connection: 'close' },
    })
    const { status, whole, headers } = await get(service.url, downloadPath('1'), { agent })
    expect({ status, whole, connection: headers.connection }).toEqual({ status: 200, whole: true, connection: 'close' })
    expect((await fetch(`${service.operationsUrl}/health/ready`)).status).toBe(503)
    await stopped
    await expect(get(service.url, healthPath)).rejects.toThrow('ECONNREFUSED')
  })

  test('lets downloads in flight end before it does', async () => {
    await using place = await openDirectory()
    const bill = billOf(16 * mib)
    await place.put('1.pdf', bill)
    await using program = await startProgram(place, { maxBytes: 100 * mib })
    const answer = await begin(program.url, downloadPath('1'))
    program.stop()
    await eventually(() =>
      get(program.url, healthPath).then(
        () => false,
        () => true,
      ),
    )
    const { whole, body } = await readAnswer(answer)
    expect({ whole, right: body.equals(bill) }).toEqual({ whole: true, right: true })
    expect(await program.ended).toEqual([0, null])
  })

  test('ends without delay when nothing is in flight and no balancer in front', async () => {
    await using place = await openDirectory()
    await using program = await startProgram(place)
    using agent = keepingAgent()
    expect((await get(program.url, healthPath, { agent })).status).toBe(200)
    program.stop()
    expect(await program.ended).toEqual([0, null])
  })
})
