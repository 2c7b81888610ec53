import { expect, it } from 'vitest'
import { createSlots } from '../src/slots.ts'

it('hands slots on in the order of arrival', async () => {
  const slots = createSlots(1)
  const order: number[] = []
  const use = async (caller: number) => {
    using _slot = await slots.take()
    order.push(caller)
  }
  await Promise.all([use(1), use(2), use(3), use(4)])
  expect(order).toEqual([1, 2, 3, 4])
})

it('never lets more in than there are slots, and loses none', async () => {
  const slots = createSlots(3)
  let inside = 0
  let most = 0
  const use = async () => {
    using _slot = await slots.take()
    inside += 1
    most = Math.max(most, inside)
    await new Promise(setImmediate)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 20 }, use))
  expect(most).toBe(3)
  for (let i = 0; i < 3; i += 1) expect(await slots.take()).toBeDefined()
})
