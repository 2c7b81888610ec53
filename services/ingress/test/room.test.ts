import { describe, expect, test } from 'vitest'
import { createRoom, createTurns } from '../src/room.ts'

describe('a room', () => {
  test('refuses what does not fit any more, keeps what fitted, and has space again when somebody leaves', () => {
    const share = createRoom(100)
    using other = share()
    other.grow(40)
    {
      using large = share()
      large.grow(60)
      expect(() => large.grow(1)).toThrow(expect.objectContaining({ status: 503, code: 'overloaded' }))
      expect(() => other.grow(1)).toThrow()
    }
    other.grow(60)
    expect(() => share().grow(1)).toThrow()
  })

  test('gives back what was taken, once', () => {
    const share = createRoom(10)
    const one = share()
    one.grow(10)
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    share().grow(10)
    expect(() => share().grow(1)).toThrow()
  })
})

describe('turns', () => {
  /** Takes a turn, and says whether it has come. */
  function take(takeTurn: ReturnType<typeof createTurns>, bytes: number) {
    const state = { begun: false, end: () => {} }
    void takeTurn(bytes).then((turn) => {
      state.begun = true
      state.end = () => turn[Symbol.dispose]()
    })
    return state
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  test('come together as far as there is space, and the others when it is free', async () => {
    const takeTurn = createTurns(10)
    const [first, second, third] = [take(takeTurn, 6), take(takeTurn, 4), take(takeTurn, 5)]
    await settled()
    expect([first.begun, second.begun, third.begun]).toEqual([true, true, false])
    second.end()
    await settled()
    expect(third.begun).toBe(false)
    first.end()
    await settled()
    expect(third.begun).toBe(true)
  })

  test('come for what is larger than all the space when nobody else has one', async () => {
    const takeTurn = createTurns(10)
    const [small, huge] = [take(takeTurn, 1), take(takeTurn, 50)]
    await settled()
    expect([small.begun, huge.begun]).toEqual([true, false])
    small.end()
    await settled()
    expect(huge.begun).toBe(true)
    const next = take(takeTurn, 1)
    await settled()
    expect(next.begun).toBe(false)
    huge.end()
    await settled()
    expect(next.begun).toBe(true)
  })
})
