import { examples } from '@tieline/contracts/examples'
import { describe, expect, test } from 'vitest'
import { workersMayCome } from '../src/wait-for-end.ts'
import { openIngress, settling, stageStatus, succeeded, syncAck } from './harness.ts'

/** One second, the shortest that an installation may set. */
const impatient = { flows: { 'stage-status': { replyWithinS: 1 }, 'enrollment-sync': { replyWithinS: 1 } } }

const provisionalAck = (id: string) => ({
  MsgAck: { ackType: 'FAILURE', responses: { response: [{ id, value: 'IN_PROGRESS', responseCode: 'FAILURE' }] } },
})

describe('an accepted message', () => {
  test('of a flow that does not wait is answered with 202 and nothing else, once it is stored', async () => {
    await using ingress = await openIngress()
    const answer = await ingress.post('enrollment-sync-ack', syncAck('SYNC-1'))
    expect(answer).toMatchObject({ status: 202, body: undefined })
    expect(answer.headers.get('content-length')).toBe('0')
    expect(await ingress.field('enrollment-sync-ack.derms.SYNC-1', 'state')).toBe('accepted')
    expect((await ingress.recorded()).filter((key) => key.endsWith('enrollment-sync-ack:wait'))).toHaveLength(1)
  })

  test('is answered with exactly the reply that its worker stored', async () => {
    await using ingress = await openIngress()
    const body = { z: 1, a: [null, 1.5, 'é', { '10': 1, '2': 2 }], empty: '' }
    await ingress.work(settling('stage-status', () => ({ ...succeeded(body), reply: { status: 418, body } })))
    const answer = await ingress.post('stage-status', stageStatus())
    expect(answer).toMatchObject({ status: 418, body })
    expect(JSON.stringify(answer.body)).toBe(JSON.stringify(body))
    expect(answer.headers.get('content-type')).toBe('application/json')
  })

  test('whose payload its worker gets as it was sent', async () => {
    await using ingress = await openIngress()
    const processor = settling('stage-status', () => succeeded({}))
    await ingress.work(processor)
    const sent = stageStatus({ unknown: { nested: [1, 'two'] }, empty: '' })
    await ingress.post('stage-status', sent)
    expect(processor.payloads).toEqual([sent])
  })

  test('that nobody works on is answered provisionally at once, for the sender to come again', async () => {
    await using ingress = await openIngress()
    const startMs = performance.now()
    const answer = await ingress.post('stage-status', stageStatus({ messageId: 'M-1' }))
    expect(answer).toMatchObject({ status: 200, body: provisionalAck('M-1') })
    const fault = await ingress.post('enrollment-sync', examples['enrollment-sync'])
    expect(fault).toMatchObject({
      status: 503,
      body: { 'o:errorCode': '503', 'o:errorDetails': [{ 'o:errorCode': 'IN_PROGRESS' }] },
    })
    expect(fault.headers.get('retry-after')).toBe('5')
    expect(performance.now() - startMs).toBeLessThan(5_000)
    expect(await ingress.field('stage-status.SITE1.M-1', 'collect')).toBe('provisional')
  })

  test('at the start waits for its worker, which may take longer to come than the ingress', async () => {
    await using ingress = await openIngress({ tuning: { workersComeWithinMs: 60_000 } })
    const answers = [
      ingress.post('stage-status', stageStatus({ messageId: 'M-1' })),
      ingress.post('enrollment-sync', examples['enrollment-sync']),
    ]
    const { syncRequestId } = examples['enrollment-sync'].sendDetails
    for (const key of ['stage-status.SITE1.M-1', `enrollment-sync.dacs.${syncRequestId}`])
      await expect.poll(() => ingress.field(key, 'state')).toBe('accepted')
    const done = () => succeeded({ done: 1 })
    await ingress.work(settling('stage-status', done), settling('enrollment-sync', done))
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200, body: { done: 1 } })
  })

  test('at the start is answered provisionally when it is 15 s old and no worker came, or goes on waiting for one', async () => {
    await using ingress = await openIngress({ tuning: { workersComeWithinMs: 60_000 } })
    const message = stageStatus({ messageId: 'M-1' })
    const leave = new AbortController()
    const left = ingress.post('stage-status', message, { signal: leave.signal }).catch(() => 'hung up')
    const key = 'stage-status.SITE1.M-1'
    await expect.poll(() => ingress.field(key, 'state')).toBe('accepted')
    leave.abort()
    await left
    const letItBe = (ageMs: number) =>
      ingress.redis.hset(`${ingress.journal.base}:m:${key}`, 'acceptedAt', Date.now() - ageMs)

    await letItBe(13_500)
    const startMs = performance.now()
    expect((await ingress.post('stage-status', message)).body).toMatchObject(provisionalAck('M-1'))
    const waitedMs = performance.now() - startMs
    expect(waitedMs).toBeGreaterThan(500)
    expect(waitedMs).toBeLessThan(10_000)

    await letItBe(13_000)
    const repeatMs = performance.now()
    const repeat = ingress.post('stage-status', message)
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    await ingress.work(settling('stage-status', () => gate.then(() => succeeded({ done: 1 }))))
    await expect.poll(() => ingress.field(key, 'state')).toBe('processing')
    await expect.poll(() => performance.now() - repeatMs, { timeout: 5_000 }).toBeGreaterThan(2_200)
    open()
    expect(await repeat).toMatchObject({ status: 200, body: { done: 1 } })
  })

  test('that takes too long is answered provisionally, and its repeat collects the result of the one run', async () => {
    await using ingress = await openIngress({ sections: impatient })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const processor = settling('stage-status', () => gate.then(() => succeeded({ done: 1 })))
    await ingress.work(processor)
    const message = stageStatus({ messageId: 'M-1' })
    expect((await ingress.post('stage-status', message)).body).toMatchObject(provisionalAck('M-1'))
    expect(await ingress.field('stage-status.SITE1.M-1', 'collect')).toBe('provisional')

    const repeat = ingress.post('stage-status', message)
    await expect.poll(() => ingress.field('stage-status.SITE1.M-1', 'collect')).toBeNull()
    open()
    expect(await repeat).toMatchObject({ status: 200, body: { done: 1 } })
    expect(processor.payloads).toHaveLength(1)
  })

  test('without the wrapper where the installation says so', async () => {
    await using ingress = await openIngress({ sections: { compat: { msgAckWrapper: false } } })
    const { body } = await ingress.post('stage-status', stageStatus({ messageId: 'M-1' }))
    expect(body).toMatchObject(provisionalAck('M-1').MsgAck)
  })
})

const never = Number.POSITIVE_INFINITY

test.each([
  ['at the start, when none was ever there', 20_000, never, true],
  ['at the start, when those of the last run were there', 20_000, 3_600_000, true],
  ['when some were there since the start and are gone', 20_000, 16_000, false],
  ['when none came for a minute', 61_000, never, false],
])('workers may still come %s: Redis since %i ms, silent for %d ms, %s', (_when, readyForMs, silentForMs, may) => {
  const nowMs = Date.now()
  const times = { nowMs, readySinceMs: nowMs - readyForMs, workerSeenAt: Math.max(0, nowMs - silentForMs) }
  expect(workersMayCome({ ...times, withinMs: 60_000 })).toBe(may)
})

describe('a repeat', () => {
  test('of a message that is worked on is attached: one run, the same reply for both', async () => {
    await using ingress = await openIngress()
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const processor = settling('stage-status', () => gate.then(() => succeeded({ done: 1 })))
    await ingress.work(processor)
    const message = stageStatus({ messageId: 'M-1' })
    const both = [ingress.post('stage-status', message), ingress.post('stage-status', { ...message })]
    await expect
      .poll(async () => (await ingress.redis.lrange(`${ingress.journal.base}:t:stage-status.SITE1.M-1`, 0, -1)).join())
      .toContain('attached')
    open()
    for (const answer of await Promise.all(both)) expect(answer).toMatchObject({ status: 200, body: { done: 1 } })
    expect(processor.payloads).toHaveLength(1)
  })

  test('of a message that succeeded gets the stored reply, in whatever order its fields come', async () => {
    await using ingress = await openIngress()
    let runs = 0
    await ingress.work(settling('stage-status', () => succeeded({ run: ++runs })))
    const message = stageStatus()
    const reordered = Object.fromEntries(Object.entries(message).reverse())
    expect((await ingress.post('stage-status', message)).body).toEqual({ run: 1 })
    expect((await ingress.post('stage-status', message)).body).toEqual({ run: 1 })
    expect((await ingress.post('stage-status', JSON.stringify(reordered, null, 2))).body).toEqual({ run: 1 })
    expect(runs).toBe(1)
  })

  test('of an accepted message of a flow that does not wait is accepted again', async () => {
    await using ingress = await openIngress()
    await ingress.work(settling('enrollment-sync-ack', () => ({ state: 'succeeded', outcome: 'SUCCESS' })))
    expect((await ingress.post('enrollment-sync-ack', syncAck('SYNC-1'))).status).toBe(202)
    await expect.poll(() => ingress.field('enrollment-sync-ack.derms.SYNC-1', 'state')).toBe('succeeded')
    expect((await ingress.post('enrollment-sync-ack', syncAck('SYNC-1'))).status).toBe(202)
    expect(await ingress.field('enrollment-sync-ack.derms.SYNC-1', 'generation')).toBe('1')
  })

  test('of a message that failed runs again', async () => {
    await using ingress = await openIngress()
    let runs = 0
    await ingress.work(
      settling('stage-status', () => {
        const reply = { status: 200, body: { run: ++runs } }
        return runs === 1
          ? { state: 'dead', outcome: 'FAILURE', code: 'target-error', reply }
          : succeeded({ run: runs })
      }),
    )
    const message = stageStatus()
    expect((await ingress.post('stage-status', message)).body).toEqual({ run: 1 })
    expect((await ingress.post('stage-status', message)).body).toEqual({ run: 2 })
  })

  test('with another content takes over: the caller of the older one is told so', async () => {
    await using ingress = await openIngress()
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const wait = (payload: unknown) => gate.then(() => succeeded({ worked: payload }))
    await ingress.work(settling('stage-status', wait), settling('enrollment-sync', wait))
    const older = stageStatus({ messageId: 'M-1', cancelReason: 'older' })
    const sync = examples['enrollment-sync']
    const { syncRequestId } = sync.sendDetails
    const outdated = [ingress.post('stage-status', older), ingress.post('enrollment-sync', sync)]
    for (const key of ['stage-status.SITE1.M-1', `enrollment-sync.dacs.${syncRequestId}`])
      await expect.poll(() => ingress.field(key, 'state')).toBe('processing')
    const newer = [
      ingress.post('stage-status', { ...older, cancelReason: 'newer' }),
      ingress.post('enrollment-sync', { ...sync, more: 1 }),
    ]

    for (const key of ['stage-status.SITE1.M-1', `enrollment-sync.dacs.${syncRequestId}`])
      await expect.poll(() => ingress.field(key, 'generation')).toBe('2')
    open()
    const [stageAnswer, syncAnswer] = await Promise.all(outdated)
    expect(stageAnswer).toMatchObject({
      status: 200,
      body: {
        MsgAck: {
          ackType: 'ERROR',
          responses: { response: [{ id: 'M-1', value: 'SUPERSEDED', responseCode: 'ERROR' }] },
        },
      },
    })
    expect(syncAnswer).toMatchObject({
      status: 500,
      body: { 'o:errorDetails': [{ 'o:errorCode': 'SUPERSEDED', instance: 'enrollment-sync' }] },
    })
    for (const answer of await Promise.all(newer)) expect(answer.status).toBe(200)
  })
})

describe('a message that ends without a reply', () => {
  test('is answered so that its sender comes again', async () => {
    await using ingress = await openIngress()
    const dead = { state: 'dead', outcome: 'FAILURE', code: 'internal' } as const
    await ingress.work(
      settling('device-status-ack', () => dead),
      settling('device-status-check', () => dead),
    )
    expect(await ingress.post('device-status-ack', { dacsMessageId: 'D-1' })).toMatchObject({
      status: 200,
      body: { MsgAck: { ackType: 'FAILURE', responses: { response: [{ dacsMessageId: 'D-1', value: 'NO_RESULT' }] } } },
    })
    expect(await ingress.post('device-status-check', examples['device-status-check'])).toMatchObject({
      status: 500,
      body: { 'o:errorDetails': [{ 'o:errorCode': 'NO_RESULT' }] },
    })
  })
})

describe('a caller that hangs up', () => {
  test('is noted, and its message goes on', async () => {
    await using ingress = await openIngress()
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    await ingress.work(settling('stage-status', () => gate.then(() => succeeded({}))))
    const hangUp = new AbortController()
    const posted = ingress.post('stage-status', stageStatus({ messageId: 'M-1' }), { signal: hangUp.signal })
    posted.catch(() => undefined)
    await expect.poll(() => ingress.field('stage-status.SITE1.M-1', 'state')).toBe('processing')
    hangUp.abort()
    await expect.poll(() => ingress.field('stage-status.SITE1.M-1', 'collect')).toBe('hung-up')
    open()
    await expect.poll(() => ingress.field('stage-status.SITE1.M-1', 'state')).toBe('succeeded')
    expect(ingress.logged.join()).toContain('"ending":"hung-up"')
  })
})
