import { expect, it } from 'vitest'
import { json, startFarSide } from './far-side.ts'
import { createTestTarget, failureOf } from './target.ts'

it('asks whether a call may still be made when its turn has come, and leaves it when not', async () => {
  const hold = Promise.withResolvers<void>()
  await using far = await startFarSide(async (_request, response) => {
    await hold.promise
    response.writeHead(200).end()
  })
  using target = await createTestTarget({ concurrency: 1 })
  const first = target.post(far.url)
  let mayCall = true
  const ask = async () => {
    if (!mayCall) throw new Error('not any more')
  }
  const second = target.post(far.url, { mayCall: ask }).catch((error: Error) => error.message)
  mayCall = false
  hold.resolve()
  await first
  expect(await second).toBe('not any more')
  expect(far.received).toHaveLength(1)
})

it('sends nothing before it may, and has failed when its time is over by then', async () => {
  await using far = await startFarSide(json(200))
  using target = await createTestTarget({ timeoutMs: 100 })
  const answer = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const ask = () => {
    asked.resolve()
    return answer.promise
  }
  const late = failureOf(target.post(far.url, { mayCall: ask }))
  await asked.promise
  expect(await late).toMatchObject({ code: 'target-unreachable', outcome: 'failed' })
  answer.resolve()
  expect(await target.post(far.url)).toMatchObject({ status: 200 })
  // Also where the connection stands already.
  const held = Promise.withResolvers<void>()
  const reused = target.post(far.url, { mayCall: () => held.promise })
  held.resolve()
  expect(await reused).toMatchObject({ status: 200 })
  expect(far.received).toHaveLength(2)
})
