import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { externalId, fault500 } from './expected-replies.ts'
import { enrollmentSync, enrollmentSyncAck, keyOf, toDermsEnrollment } from './golden-messages.ts'
import { bodiesOf, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { openPipeline, replyingWithin1s, usePipeline } from './use-pipeline.ts'

const flow = 'enrollment-sync'
const operation = 'enroll'

describe('an enrollment sync', () => {
  const usual = usePipeline()

  it('sent again gets the stored reply without a call until its acknowledgment has come, then it is new work', async () => {
    const { dacs, derms, post, until } = usual()
    dacs.register({ syncRequestId: '1007' })
    const body = enrollmentSync('1007')
    const key = keyOf(flow, body)
    expect(told(await post(flow, body))).toEqual(externalId('1007'))
    expect(told(await post(flow, body))).toEqual(externalId('1007'))
    expect(derms.count(operation)).toBe(1)
    const replayed = await until(key, 'succeeded')
    expect(standOf(replayed)).toMatchObject({ generation: 1, attempts: 1 })
    expect(storyOf(replayed)).toEqual(['accepted', 'attempt', 'called', 'settled', 'replayed'])

    const ack = enrollmentSyncAck({ dacsMessageId: '1007' })
    await post('enrollment-sync-ack', ack)
    await until(keyOf('enrollment-sync-ack', ack), 'succeeded')
    expect(told(await post(flow, body))).toEqual(externalId('1007'))
    expect(bodiesOf(derms, operation)).toEqual([toDermsEnrollment('1007'), toDermsEnrollment('1007')])
    expect(standOf(await until(key, 'succeeded'))).toMatchObject({ generation: 2, effects: { enroll: 'confirmed' } })
  })

  it('sent twice at once reaches DERMS once, and both callers get the reply', async () => {
    const { derms, post, until } = usual()
    const body = enrollmentSync('1011')
    derms.latency({ ms: 300, operation })
    const both = await Promise.all([post(flow, body), post(flow, body)])
    expect(both.map(told)).toEqual([externalId('1011'), externalId('1011')])
    expect(derms.count(operation)).toBe(1)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(standOf(message)).toMatchObject({ generation: 1, attempts: 1 })
    expect(storyOf(message)).toContain('attached')
  })

  it('sent again with another payload delivers the other payload', async () => {
    const { derms, post, until } = usual()
    const status = (status: string) => ({ subscriptionInfo: { status } })
    await post(flow, enrollmentSync('1012', status('ACTIVE')))
    const changed = enrollmentSync('1012', status('INACTIVE'))
    expect(told(await post(flow, changed))).toEqual(externalId('1012'))
    expect(bodiesOf(derms, operation)).toEqual([
      toDermsEnrollment('1012', status('ACTIVE')),
      toDermsEnrollment('1012', status('INACTIVE')),
    ])
    const message = await until(keyOf(flow, changed), 'succeeded')
    expect(message).toMatchObject({ generation: 2, changed: true })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'accepted', generation: 2, changed: true }))
  })

  it('whose payload changes while it runs is superseded: its caller gets a fault, the newer one the reply', async () => {
    const { derms, post, until } = usual()
    const status = (status: string) => ({ subscriptionInfo: { status } })
    derms.latency({ ms: 600, operation })
    const older = post(flow, enrollmentSync('1013', status('ACTIVE')))
    await eventually(() => derms.count(operation) === 1)
    const changed = enrollmentSync('1013', status('INACTIVE'))
    const newer = post(flow, changed)
    expect(told(await older)).toEqual(
      fault500({
        detail: 'A newer message with the same id took the place of this one',
        instance: flow,
        errorCode: 'SUPERSEDED',
      }),
    )
    expect(told(await newer)).toEqual(externalId('1013'))
    expect(bodiesOf(derms, operation)).toEqual([
      toDermsEnrollment('1013', status('ACTIVE')),
      toDermsEnrollment('1013', status('INACTIVE')),
    ])
    const [one, other] = derms.received.map(({ at }) => at)
    expect((other ?? 0) - (one ?? 0)).toBeGreaterThanOrEqual(599)
    const message = await until(keyOf(flow, changed), 'succeeded')
    expect(standOf(message)).toMatchObject({ outcome: 'SUCCESS', generation: 2 })
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('whose result takes too long is a 503 fault, and its repeat collects the result', async () => {
    await using slow = await openPipeline(replyingWithin1s(flow))
    const { derms, post } = slow
    const body = enrollmentSync('1014')
    derms.latency({ ms: 1_500, operation })
    const provisional = await post(flow, body)
    expect(provisional).toMatchObject({
      status: 503,
      body: { 'o:errorCode': '503', 'o:errorDetails': [{ instance: flow, 'o:errorCode': 'IN_PROGRESS' }] },
    })
    expect(told(await post(flow, body))).toEqual(externalId('1014'))
    expect(derms.count(operation)).toBe(1)
  })
})
