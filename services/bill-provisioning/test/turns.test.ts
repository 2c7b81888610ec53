import { describe, expect, test } from 'vitest'
import { createTurns } from '../src/turns.ts'

const { signal } = new AbortController()

/** Turns that were asked for, and which of them have come. */
function listen() {
  const come: string[] = []
  const turns = new Map<string, Promise<Disposable>>()
  return {
    come,
    ask(name: string, turn: Promise<Disposable>) {
      turns.set(name, turn)
      turn.then(
        () => come.push(name),
        () => undefined,
      )
    },
    async end(name: string) {
      ;(await turns.get(name))?.[Symbol.dispose]()
    },
  }
}

/** Lets everything happen that waits for nothing but its turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  test('come in order, so many at a time', async () => {
    const turns = createTurns({ looksAtOnce: 1, readsAtOnce: 2, looksPerRead: 2 })
    const { come, ask, end } = listen()
    for (const name of ['a', 'b', 'c', 'd']) ask(name, turns.read(signal))
    await settled()
    expect(come).toEqual(['a', 'b'])
    expect(turns.readNow()).toBeUndefined()
    await end('b')
    await settled()
    expect(come).toEqual(['a', 'b', 'c'])
  })

  test('to read come after those to look, but after every so many one comes all the same', async () => {
    const turns = createTurns({ looksAtOnce: 1, readsAtOnce: 3, looksPerRead: 2 })
    const { come, ask, end } = listen()
    for (const name of ['look 1', 'look 2', 'look 3', 'look 4']) ask(name, turns.look(signal))
    for (const name of ['read 1', 'read 2', 'read 3']) ask(name, turns.read(signal))
    await settled()
    expect(come).toEqual(['look 1'])
    expect(turns.readNow()).toBeUndefined()
    for (const name of ['look 1', 'look 2', 'look 3']) {
      await end(name)
      await settled()
    }
    expect(come).toEqual(['look 1', 'look 2', 'read 1', 'look 3', 'look 4', 'read 2', 'read 3'])
  })

  test('that nobody waits for any more are not kept from others', async () => {
    const turns = createTurns({ looksAtOnce: 1, readsAtOnce: 1, looksPerRead: 2 })
    const { come, ask, end } = listen()
    const gone = new AbortController()
    ask('a', turns.read(signal))
    ask('b', turns.read(gone.signal))
    ask('c', turns.read(AbortSignal.abort()))
    ask('d', turns.read(signal))
    await settled()
    gone.abort()
    await end('a')
    await settled()
    expect(come).toEqual(['a', 'd'])
    await end('d')
    using turn = turns.readNow()
    expect(turn).toBeDefined()
  })
})
