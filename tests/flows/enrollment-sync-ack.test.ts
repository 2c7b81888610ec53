import { examples } from '@tieline/contracts/examples'
import { rerunMessage } from '@tieline/journal/operations'
import type { Pipeline } from '@tieline/testkit/pipeline'
import { describe, expect, it } from 'vitest'
import { problem400 } from './expected-replies.ts'
import { enrollmentSync, enrollmentSyncAck, keyOf } from './golden-messages.ts'
import { bodiesOf, errorMail, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { startTwoSites } from './two-sites.ts'
import { openPipeline, retryingFor, usePipeline } from './use-pipeline.ts'

const flow = 'enrollment-sync-ack'
const operation = 'updateSyncRequest'
const accepted = { status: 202, body: undefined }

const good = (syncRequestId: string) => ({ 'F1-UpdateSyncRequest': { syncRequestId, hasError: false } })

/** The update of a failed sync; DACS shows the text twice. */
const failed = (syncRequestId: string, text?: string) => ({
  'F1-UpdateSyncRequest': {
    syncRequestId,
    hasError: true,
    exceptionInfo: [
      {
        sequence: 1,
        messageCategory: 11114,
        messageNumber: 31002,
        ...(text !== undefined && {
          comments: text.slice(0, 254),
          messageParameters: [{ parameterSequence: 1, messageParameterValue: text.slice(0, 2_000) }],
        }),
      },
    ],
  },
})

const idsOf = (bodies: readonly unknown[]) =>
  bodies.map((body) => (body as ReturnType<typeof good>)['F1-UpdateSyncRequest'].syncRequestId)

describe('an enrollment sync acknowledgment', () => {
  const usual = usePipeline()
  const hasty = usePipeline(retryingFor(flow, 0))

  const know = ({ dacs }: Pipeline, ...ids: string[]) => {
    for (const syncRequestId of ids) dacs.register({ syncRequestId })
  }

  it('is accepted with 202 and no body, and updates the sync request in DACS', async () => {
    const { dacs, post, until } = usual()
    const body = examples[flow]
    const id = '26550147098960'
    know(usual(), id)
    expect(told(await post(flow, body))).toEqual(accepted)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(bodiesOf(dacs, operation)).toEqual([examples['enrollment-sync-ack.to-dacs']])
    expect(dacs.received).toMatchObject([
      { method: 'PATCH', path: `/tenant/test/dac/rest/apis/common/sync/syncRequest/${id}`, answered: 200 },
    ])
    expect(dacs.syncRequests.get(id)?.state).toBe('COMPLETED')
    const effects = { [`sync.${id}.0`]: 'confirmed' }
    expect(standOf(message)).toEqual({ state: 'succeeded', outcome: 'SUCCESS', generation: 1, attempts: 1, effects })
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'called', 'settled'])
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('of an error moves the sync request to its exception, with the text of DERMS', async () => {
    const { dacs, post, until } = usual()
    const body = examples['enrollment-sync-ack.error']
    know(usual(), '26550147098960')
    // The same id as the message before, with another payload: it is delivered anew.
    await post(flow, body)
    await until(keyOf(flow, body), 'succeeded')
    expect(bodiesOf(dacs, operation)).toEqual([examples['enrollment-sync-ack.error-to-dacs']])
    expect(dacs.syncRequests.get('26550147098960')?.state).toBe('EXCEPTION')
  })

  it('tells DACS of an error for every code but SUCCESS, cut to the lengths of DACS', async () => {
    const { dacs, post, until } = usual()
    const text = `${'long '.repeat(500)}end`
    const ids = ['2001', '2002', '2003', '2004']
    know(usual(), ...ids)
    const body = enrollmentSyncAck(
      { dacsMessageId: '2001', responseCode: 'FAILURE', value: 'Down' },
      { dacsMessageId: '2002', responseCode: 'ERROR' },
      { dacsMessageId: '2003', responseCode: 'success' },
      { dacsMessageId: '2004', responseCode: 'REJECTED', value: text },
    )
    await post(flow, body)
    await until(keyOf(flow, body), 'succeeded')
    const updates = [failed('2001', 'Down'), failed('2002'), good('2003'), failed('2004', text)]
    expect(bodiesOf(dacs, operation)).toEqual(updates)
  })

  it('is read without its wrapper, with one response or a plain list, and without codes of the responses', async () => {
    const { dacs, post, until } = usual()
    know(usual(), '2011', '2012', '2013')
    const response = (dacsMessageId: string) => ({ dacsMessageId, value: 'No such person' })
    const forms = [
      { ackType: 'ERROR', responses: { response: response('2011') } },
      { ackType: 'SUCCESS', responses: [response('2012')] },
      { MsgAck: { ackType: 'FAILURE', responses: { response: [response('2013')] } } },
    ]
    for (const form of forms) {
      expect(told(await post(flow, form))).toEqual(accepted)
      await until(keyOf(flow, form), 'succeeded')
    }
    const updates = [failed('2011', 'No such person'), good('2012'), failed('2013', 'No such person')]
    expect(bodiesOf(dacs, operation)).toEqual(updates)
  })

  it('waits for the delay that the lookup says before it calls DACS', async () => {
    await using delayed = await openPipeline({
      lookups: { ConfigProps: 'PropertyName,Value\nenrollmentSyncAckDelay,1\n' },
    })
    know(delayed, '2021')
    const body = enrollmentSyncAck({ dacsMessageId: '2021' })
    expect(told(await delayed.post(flow, body))).toEqual(accepted)
    const message = await delayed.until(keyOf(flow, body), 'succeeded')
    const [arrival] = message.timeline
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'postponed', 'attempt', 'called', 'settled'])
    expect(delayed.dacs.count(operation)).toBe(1)
    expect((delayed.dacs.received[0]?.at ?? 0) - (arrival?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
    expect(standOf(message)).toMatchObject({ state: 'succeeded', outcome: 'SUCCESS', attempts: 2 })
  })

  it('with a response that DACS refuses updates the others, and becomes a dead letter and an e-mail', async () => {
    const { dacs, post, until } = usual()
    know(usual(), '2031', '2033')
    const body = enrollmentSyncAck(...['2031', '2032', '2033'].map((dacsMessageId) => ({ dacsMessageId })))
    expect(told(await post(flow, body))).toEqual(accepted)
    const message = await until(keyOf(flow, body), 'dead')
    expect(bodiesOf(dacs, operation)).toEqual(['2031', '2032', '2033'].map(good))
    expect(standOf(message)).toEqual({
      state: 'dead',
      outcome: 'ERROR',
      code: 'target-refused',
      generation: 1,
      attempts: 1,
      effects: { 'sync.2031.0': 'confirmed', 'sync.2032.1': 'refused', 'sync.2033.2': 'confirmed' },
    })
    expect(await mailsAbout(usual(), message)).toEqual([
      errorMail(`F3 Enrollment sync acknowledgment: target-refused ${message.id}`, {
        connection: 'DACS_MAIN',
        httpStatus: '400',
        attempts: '1',
      }),
    ])
  })

  it('resubmitted from its dead letter sends only what DACS has not taken', async () => {
    const { dacs, journal, post, until } = usual()
    know(usual(), '2041', '2043')
    const body = enrollmentSyncAck(...['2041', '2042', '2043'].map((dacsMessageId) => ({ dacsMessageId })))
    await post(flow, body)
    const { key } = await until(keyOf(flow, body), 'dead')
    know(usual(), '2042')
    const operator = { who: 'ops', why: 'The sync request exists now' }
    expect(await rerunMessage(journal, key, { ...operator, onlyDead: true })).toEqual({ kind: 'ok', generation: 2 })
    const message = await until(key, 'succeeded')
    expect(idsOf(bodiesOf(dacs, operation))).toEqual(['2041', '2042', '2043', '2042'])
    expect(standOf(message)).toMatchObject({
      outcome: 'SUCCESS',
      generation: 2,
      effects: { 'sync.2041.0': 'confirmed', 'sync.2042.1': 'confirmed', 'sync.2043.2': 'confirmed' },
    })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'resubmitted', who: 'ops' }))
  })

  it('that DACS fails is tried again for what failed, and succeeds without an e-mail', async () => {
    const { dacs, post, until } = usual()
    know(usual(), '2051', '2052')
    const body = enrollmentSyncAck({ dacsMessageId: '2051' }, { dacsMessageId: '2052' })
    dacs.failNext({ operation, status: 503 })
    await post(flow, body)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(idsOf(bodiesOf(dacs, operation))).toEqual(['2051', '2052', '2051'])
    expect(standOf(message)).toMatchObject({ outcome: 'SUCCESS', generation: 1, attempts: 2 })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'retry', code: 'target-error' }))
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('that DACS fails until the time is over becomes a dead letter and one e-mail', async () => {
    const { dacs, post, until } = hasty()
    know(hasty(), '2061', '2062')
    const body = enrollmentSyncAck({ dacsMessageId: '2061' }, { dacsMessageId: '2062' })
    dacs.failNext({ operation, status: 500, times: 2 })
    expect(told(await post(flow, body))).toEqual(accepted)
    const message = await until(keyOf(flow, body), 'dead')
    expect(standOf(message)).toMatchObject({
      outcome: 'FAILURE',
      code: 'target-error',
      attempts: 1,
      effects: { 'sync.2061.0': 'unknown', 'sync.2062.1': 'unknown' },
    })
    expect(await mailsAbout(hasty(), message)).toEqual([
      errorMail(`F3 Enrollment sync acknowledgment: target-error ${message.id}`, {
        connection: 'DACS_MAIN',
        httpStatus: '500',
        attempts: '1',
      }),
    ])
  })

  it('that breaks its contract is refused at the door and recorded nowhere', async () => {
    const { dacs, post, messages } = usual()
    const before = await messages()
    const detail = 'The message breaks its contract'
    const cases = [
      [enrollmentSyncAck({ dacsMessageId: '1234567890123456' }), 'responses.0.dacsMessageId', 'at most 14 characters'],
      [{ MsgAck: { ackType: 'SUCCESS', responses: [{ value: '' }] } }, 'responses.0.dacsMessageId', 'expected string'],
      [enrollmentSyncAck(), 'responses', 'must not be empty'],
      [{ MsgAck: { ackType: 'PERHAPS' } }, '', 'expected a MsgAck'],
    ] as const
    for (const [body, path, rule] of cases) {
      const refused = problem400({ detail, code: 'contract-violation', errors: [{ path, rule }] })
      expect(told(await post(flow, body))).toEqual(refused)
    }
    const unreadable = problem400({ detail: 'The body is not JSON', code: 'malformed-body' })
    expect(told(await post(flow, 'not JSON'))).toEqual(unreadable)
    expect(await messages()).toEqual(before)
    expect(dacs.received).toEqual([])
  })

  it('sent again after it is done calls nobody', async () => {
    const { dacs, post, until } = usual()
    know(usual(), '2071')
    const body = enrollmentSyncAck({ dacsMessageId: '2071' })
    await post(flow, body)
    const { key } = await until(keyOf(flow, body), 'succeeded')
    expect(told(await post(flow, body))).toEqual(accepted)
    expect(storyOf(await until(key, 'succeeded'))).toContain('replayed')
    expect(dacs.count(operation)).toBe(1)
  })

  it('goes to the DACS whose division the sync carried; without a sync it is dead, naming what Routing lacks', async () => {
    await using sites = await startTwoSites()
    const { pipeline, north, south } = sites
    await Promise.all([
      pipeline.post('enrollment-sync', enrollmentSync('2081', { locationInfo: { division: 'NV' } })),
      pipeline.post('enrollment-sync', enrollmentSync('2082', { locationInfo: { division: 'CA' } })),
    ])
    const body = enrollmentSyncAck({ dacsMessageId: '2081' }, { dacsMessageId: '2082' })
    await pipeline.post(flow, body)
    await pipeline.until(keyOf(flow, body), 'succeeded')
    expect(bodiesOf(south.dacs, operation)).toEqual([good('2081')])
    expect(bodiesOf(north.dacs, operation)).toEqual([good('2082')])

    const stray = enrollmentSyncAck({ dacsMessageId: '2083' })
    await pipeline.post(flow, stray)
    const message = await pipeline.until(keyOf(flow, stray), 'dead')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'routing-missing', effects: {} })
    expect(await mailsAbout(pipeline, message)).toEqual([
      errorMail('F3 Enrollment sync acknowledgment: routing-missing 2083', { attempts: '1' }),
    ])
  })
})
