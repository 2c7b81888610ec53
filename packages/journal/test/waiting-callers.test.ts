import { connectSubscriber } from '@tieline/runtime/redis'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, inject, it } from 'vitest'
import { accept } from '../src/intake.ts'
import { type ReplyDesk, startReplyDesk } from '../src/replies.ts'
import { answer, callError, field, incoming, logger, oneCall, openHarness } from './harness.ts'

/** A desk that hears no news; `look` makes it look at the records, as it does every 5 s. */
async function openDeafDesk() {
  const cleanup = new AsyncDisposableStack()
  const harness = cleanup.use(await openHarness())
  const subscriber = connectSubscriber(inject('redisUrl'), logger)
  cleanup.defer(() => subscriber.disconnect())
  const desk: ReplyDesk = cleanup.use(await startReplyDesk(harness.journal, subscriber))
  await eventually(async () => {
    const [, count] = (await harness.redis.pubsub('NUMSUB', `${harness.journal.base}:news`)) as [string, number]
    return count === 1
  })
  await subscriber.unsubscribe()
  return {
    ...harness,
    desk,
    look: () => subscriber.emit('ready'),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

const patient = new AbortController().signal

describe('a caller who waits', () => {
  it('is not told "superseded" when the same message was run again before its end was heard of', async () => {
    await using harness = await openDeafDesk()
    const fate = { refuses: true }
    await harness.work([
      oneCall('stage-status', async () => (fate.refuses ? Promise.reject(callError('refused')) : answer())),
    ])
    const message = incoming('stage-status', 'again')
    const accepted = await accept(harness.journal, message)
    const waited = harness.desk.wait(accepted, 30_000, patient)
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'refused')
    fate.refuses = false
    expect(await accept(harness.journal, message)).toMatchObject({ kind: 'again', generation: 2 })
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'succeeded')
    harness.look()
    expect(await waited).toEqual({ kind: 'settled', reply: { status: 200, body: 'done' } })
  })

  it('is told "superseded" when a changed message took over, also if that one was run again since', async () => {
    await using harness = await openDeafDesk()
    const message = incoming('stage-status', 'changed')
    const accepted = await accept(harness.journal, message)
    const waited = harness.desk.wait(accepted, 30_000, patient)
    await accept(harness.journal, { ...message, payload: 'new', hash: 'new' })
    await harness.work([oneCall('stage-status', async () => Promise.reject(callError('refused')))])
    await eventually(async () => (await field(harness.journal, message.key, 'state')) === 'refused')
    await accept(harness.journal, { ...message, payload: 'new', hash: 'new' })
    harness.look()
    expect(await waited).toEqual({ kind: 'superseded' })
  })

  it('gets the reply although the reply to somebody else cannot be read', async () => {
    await using harness = await openDeafDesk()
    await harness.work([oneCall('stage-status', async () => answer())])
    const messages = ['damaged', 'fine'].map((id) => incoming('stage-status', id))
    const waits: Promise<unknown>[] = []
    const leave = new AbortController()
    for (const message of messages) {
      const accepted = await accept(harness.journal, message)
      waits.push(harness.desk.wait(accepted, 30_000, leave.signal))
    }
    for (const { key } of messages)
      await eventually(async () => (await field(harness.journal, key, 'state')) === 'succeeded')
    await harness.redis.set(`${harness.journal.base}:y:${messages[0]?.key}`, '1.unknown-key.AAAA')
    harness.look()
    expect(await waits[1]).toMatchObject({ kind: 'settled', reply: { body: 'done' } })
    leave.abort()
    expect(await waits[0]).toEqual({ kind: 'open' })
  }, 15_000)
})
