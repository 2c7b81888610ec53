import { describe, expect, it } from 'vitest'
import { createFollower } from '../src/follower.ts'

describe('a follower', () => {
  it('looks again when news comes during a look, because that look may have come too early', async () => {
    let stored = 1
    let held = 1
    const firstAnswer = Promise.withResolvers<void>()
    const follower = createFollower({
      async storedVersion() {
        const version = stored
        await firstAnswer.promise
        return version
      },
      heldVersion: () => held,
      async reload() {
        held = stored
      },
      logger: { info() {}, warn() {} },
    })
    const early = follower.refresh()
    stored = 2
    const late = follower.refresh()
    firstAnswer.resolve()
    await Promise.all([early, late])
    expect(held).toBe(2)
  })
})
