import { describe, expect, test } from 'vitest'
import { createRoom, createTurns } from '../src/room.ts'

const refusal = expect.objectContaining({ status: 503, code: 'overloaded' })

describe('a room', () => {
  test('refuses what does not fit any more, keeps what fitted, and has space again when somebody leaves', () => {
    const shareOf = createRoom({ bytesMax: 100, bytesMin: 1, clients: ['a'] })
    using other = shareOf('a')
    other.grow(40)
    {
      using large = shareOf('a')
      large.grow(60)
      expect(() => large.grow(1)).toThrow(refusal)
      expect(() => other.grow(1)).toThrow(refusal)
    }
    other.grow(60)
    expect(() => shareOf('a').grow(1)).toThrow(refusal)
  })

  test('gives back what was taken, once', () => {
    const shareOf = createRoom({ bytesMax: 10, bytesMin: 1, clients: ['a'] })
    const one = shareOf('a')
    one.grow(10)
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    shareOf('a').grow(10)
    expect(() => shareOf('a').grow(1)).toThrow(refusal)
  })

  test('keeps a part for each client, whatever the others take; one alone may have nearly all', () => {
    const shareOf = createRoom({ bytesMax: 128, bytesMin: 4, clients: ['a', 'b', 'c', 'd'] })
    for (let taken = 0; taken < 104; taken += 4) shareOf('a').grow(4)
    expect(() => shareOf('a').grow(4)).toThrow(refusal)
    for (const client of ['b', 'c', 'd']) {
      shareOf(client).grow(4)
      using second = shareOf(client)
      second.grow(4)
      expect(() => shareOf(client).grow(4)).toThrow(refusal)
      // What one gives back of its part is there for itself alone.
      second[Symbol.dispose]()
      expect(() => shareOf('a').grow(4)).toThrow(refusal)
      shareOf(client).grow(4)
    }
  })

  test('has a part that suffices for a request of each of many', () => {
    const clients = Array.from({ length: 24 }, (_, i) => `c${i}`)
    const shareOf = createRoom({ bytesMax: 128, bytesMin: 4, clients })
    for (let taken = 0; taken < 36; taken += 4) shareOf('c0').grow(4)
    expect(() => shareOf('c0').grow(4)).toThrow(refusal)
    for (const client of clients.slice(1)) shareOf(client).grow(4)
  })
})

describe('turns', () => {
  /** Takes a turn, and says whether it has come. */
  function take(takeTurn: ReturnType<typeof createTurns>, bytes: number, client = 'a') {
    const state = { begun: false, end: () => {} }
    void takeTurn(client, bytes).then((turn) => {
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

  test('go to whoever has the least, and in turn among equals: nobody waits for all that another has sent', async () => {
    const takeTurn = createTurns(10)
    const many = Array.from({ length: 6 }, () => take(takeTurn, 5))
    const other = take(takeTurn, 1, 'b')
    await settled()
    expect(many.map(({ begun }) => begun)).toEqual([true, true, false, false, false, false])
    many[0]?.end()
    await settled()
    expect([other.begun, many[2]?.begun]).toEqual([true, false])
    other.end()
    await settled()
    expect(many[2]?.begun).toBe(true)

    const [huge, one] = [take(takeTurn, 50, 'b'), take(takeTurn, 1, 'c')]
    many[1]?.end()
    many[2]?.end()
    await settled()
    // It has waited while room came free bit by bit, and nobody small has gone before it.
    expect([huge.begun, one.begun, many[3]?.begun]).toEqual([true, false, false])
    huge.end()
    await settled()
    expect([one.begun, many[3]?.begun]).toEqual([true, true])
  })
})
