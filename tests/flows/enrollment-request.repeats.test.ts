import { examples } from '@tieline/contracts/examples'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { listMail, sentIds, stateOfAll } from './enrollment-lists.ts'
import { msgAck } from './expected-replies.ts'
import { enrollmentRecord, enrollmentRequest, keyOf, unknownProgram } from './golden-messages.ts'
import { mailsAbout, standOf, storyOf, told } from './observed.ts'
import { openPipeline, replyingWithin1s, retryingFor, usePipeline } from './use-pipeline.ts'

const flow = 'enrollment-request'
const operation = 'enrollProgram'

describe('an enrollment request', () => {
  const usual = usePipeline()
  const hasty = usePipeline(retryingFor(flow, 0))

  it('whose answer got lost after DACS took it is sent again, and 10589 counts as SUCCESS', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(enrollmentRecord('lost-1'))
    dacs.applyThenDrop({ operation })
    expect(told(await post(flow, body))).toEqual(msgAck('SUCCESS', { id: 'lost-1', responseCode: 'SUCCESS' }))
    expect(dacs.received.map(({ answered, applied }) => [answered, applied])).toEqual([
      ['dropped', true],
      [400, false],
    ])
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(standOf(message)).toMatchObject({ attempts: 2, effects: stateOfAll('confirmed', 'lost-1') })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'called', state: 'unknown' }))
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('that DACS knew before counts as SUCCESS', async () => {
    const { dacs, post } = usual()
    await post(flow, enrollmentRequest(enrollmentRecord('known-1')))
    const known = enrollmentRequest(enrollmentRecord('known-1'), enrollmentRecord('known-2'))
    expect(told(await post(flow, known))).toEqual(
      msgAck(
        'SUCCESS',
        { id: 'known-1', responseCode: 'SUCCESS' },
        { id: 'known-2', value: dacs.enrollments.get('known-2')?.enrollmentId ?? '', responseCode: 'SUCCESS' },
      ),
    )
    expect(dacs.received.map(({ answered }) => answered)).toEqual([200, 400, 200])
  })

  it('never calls refused what may have been applied by a call before', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(unknownProgram('doubt-1'))
    dacs.dropBefore({ operation })
    const value = 'enrollProgram at DACS_MAIN: refused a repeat, the outcome of an earlier call is unknown'
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', { id: 'doubt-1', value, responseCode: 'FAILURE' }))
    expect(dacs.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'dead')
    expect(standOf(message)).toMatchObject({ code: 'outcome-unknown', effects: stateOfAll('unknown', 'doubt-1') })
    expect(await mailsAbout(usual(), message)).toEqual([
      listMail('outcome-unknown', message.key, { connection: 'DACS_MAIN', httpStatus: '400', attempts: '2' }),
    ])
  })

  it('with refused and failed records is a FAILURE, with one e-mail', async () => {
    const { dacs, post, until } = hasty()
    const ids = ['mixed-2', 'mixed-4']
    const body = enrollmentRequest(unknownProgram('mixed-1'), ...ids.map((id) => enrollmentRecord(id)))
    dacs.failNext({ operation, status: 400, body: { problemDetailDocument: { title: 'No such program' } } })
    dacs.failNext({ operation, status: 503, times: 2 })
    const failed = { value: 'DACS_MAIN: enrollProgram answered 503', responseCode: 'FAILURE' }
    const refused = { id: 'mixed-1', value: 'No such program', responseCode: 'ERROR' }
    const answers = [refused, ...ids.map((id) => ({ id, ...failed }))]
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', ...answers))
    expect(dacs.count(operation)).toBe(3)
    const message = await until(keyOf(flow, body), 'dead')
    const effects = { ...stateOfAll('refused', 'mixed-1'), ...stateOfAll('unknown', ...ids) }
    const stand = { state: 'dead', outcome: 'FAILURE', code: 'target-error', generation: 1, attempts: 1, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(hasty(), message)).toEqual([
      listMail(
        'target-error',
        message.key,
        { connection: 'DACS_MAIN', httpStatus: '503', attempts: '1' },
        'DACS_MAIN is down: F1',
      ),
    ])
  })

  it('gives up after two connection failures in a row: the rest are FAILURE without a call', async () => {
    const { dacs, post, until } = hasty()
    const body = enrollmentRequest(
      ...['down-1', 'down-2', 'down-3', 'down-4', 'down-5'].map((id) => enrollmentRecord(id)),
    )
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    dacs.dropBefore({ operation, times: 2 })
    const lost = { value: 'DACS_MAIN: enrollProgram lost its connection (ECONNRESET)', responseCode: 'FAILURE' }
    const unsent = {
      value: 'not sent, because the connection failed for the records before it',
      responseCode: 'FAILURE',
    }
    expect(told(await post(flow, body))).toEqual(
      msgAck(
        'FAILURE',
        { id: 'down-1', value: '61938204477015', responseCode: 'SUCCESS' },
        { id: 'down-2', ...lost },
        { id: 'down-3', ...lost },
        { id: 'down-4', ...unsent },
        { id: 'down-5', ...unsent },
      ),
    )
    expect(sentIds(dacs)).toEqual(['down-1', 'down-2', 'down-3'])
    const message = await until(keyOf(flow, body), 'dead')
    const effects = { ...stateOfAll('confirmed', 'down-1'), ...stateOfAll('unknown', 'down-2', 'down-3') }
    expect(standOf(message)).toMatchObject({ outcome: 'FAILURE', code: 'target-reset', effects })
    expect(await mailsAbout(hasty(), message)).toEqual([
      listMail(
        'target-reset',
        message.key,
        { connection: 'DACS_MAIN', attempts: '1' },
        'DACS_MAIN breaks off in the middle of calls: F1',
      ),
    ])
  })

  it('goes on after two failures that are not in a row', async () => {
    const { dacs, post } = hasty()
    const ids = ['hole-1', 'hole-2', 'hole-3', 'hole-4']
    dacs.dropBefore({ operation })
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    dacs.dropBefore({ operation })
    await post(flow, enrollmentRequest(...ids.map((id) => enrollmentRecord(id))))
    expect(sentIds(dacs)).toEqual(ids)
  })

  it('tries again only the records that failed technically', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(enrollmentRecord('retry-1'), enrollmentRecord('retry-2'), unknownProgram('retry-3'))
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    dacs.failNext({ operation, status: 503 })
    const reply = told(await post(flow, body))
    expect(reply).toEqual(
      msgAck(
        'ERROR',
        { id: 'retry-1', value: '61938204477015', responseCode: 'SUCCESS' },
        { id: 'retry-2', value: dacs.enrollments.get('retry-2')?.enrollmentId ?? '', responseCode: 'SUCCESS' },
        {
          id: 'retry-3',
          value: 'Program code is not valid: Program code UNKNOWN is not valid',
          responseCode: 'ERROR',
        },
      ),
    )
    expect(sentIds(dacs)).toEqual(['retry-1', 'retry-2', 'retry-3', 'retry-2'])
    const message = await until(keyOf(flow, body), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'target-refused', attempts: 2 })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'retry', code: 'target-error' }))
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('sent again after a FAILURE sends only what DACS has not confirmed', async () => {
    const { dacs, post, until } = hasty()
    const body = enrollmentRequest(enrollmentRecord('again-1'), enrollmentRecord('again-2'))
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    dacs.failNext({ operation, status: 500 })
    const good = { id: 'again-1', value: '61938204477015', responseCode: 'SUCCESS' }
    const bad = { id: 'again-2', value: 'DACS_MAIN: enrollProgram answered 500', responseCode: 'FAILURE' }
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', good, bad))
    await until(keyOf(flow, body), 'dead')

    const repeat = told(await post(flow, body))
    const value = dacs.enrollments.get('again-2')?.enrollmentId ?? ''
    expect(repeat).toEqual(msgAck('SUCCESS', good, { id: 'again-2', value, responseCode: 'SUCCESS' }))
    expect(sentIds(dacs)).toEqual(['again-1', 'again-2', 'again-2'])
    const message = await until(keyOf(flow, body), 'succeeded')
    const effects = stateOfAll('confirmed', 'again-1', 'again-2')
    expect(standOf(message)).toMatchObject({ outcome: 'SUCCESS', generation: 2, effects })
    expect(storyOf(message)).toContain('resolved')
  })

  it('whose result takes too long is answered IN_PROGRESS, and its repeat collects the result', async () => {
    await using slow = await openPipeline(replyingWithin1s(flow))
    const { dacs, post, until } = slow
    const body = enrollmentRequest(enrollmentRecord('slow-1'))
    dacs.latency({ ms: 1_500, operation })
    const provisional = { id: 'slow-1', value: 'IN_PROGRESS', responseCode: 'FAILURE' }
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', provisional))

    const collected = told(await post(flow, body))
    const value = dacs.enrollments.get('slow-1')?.enrollmentId ?? ''
    expect(collected).toEqual(msgAck('SUCCESS', { id: 'slow-1', value, responseCode: 'SUCCESS' }))
    expect(dacs.count(operation)).toBe(1)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(standOf(message)).toMatchObject({ generation: 1, attempts: 1 })
    expect(storyOf(message)).not.toContain('notified')
  })

  it('whose caller hung up becomes an e-mail when its result is not SUCCESS', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(unknownProgram('gone-1'))
    dacs.latency({ ms: 600, operation })
    const caller = new AbortController()
    const posted = post(flow, body, { signal: caller.signal })
    await eventually(() => dacs.count(operation) === 1)
    caller.abort()
    await expect(posted).rejects.toThrow()

    const { key } = await until(keyOf(flow, body), 'refused')
    const message = await eventually(async () => {
      const details = await until(key, 'refused')
      return storyOf(details).includes('notified') ? details : undefined
    })
    expect(await mailsAbout(usual(), message)).toEqual([listMail('reply-uncollected', key, { attempts: '1' })])
  })

  it('sent twice at once is enrolled once, and both callers get the result', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(enrollmentRecord('pair-1'))
    dacs.latency({ ms: 300, operation })
    const [one, other] = await Promise.all([post(flow, body), post(flow, body)])
    const value = dacs.enrollments.get('pair-1')?.enrollmentId ?? ''
    expect(told(one)).toEqual(msgAck('SUCCESS', { id: 'pair-1', value, responseCode: 'SUCCESS' }))
    expect(other.body).toEqual(one.body)
    expect(dacs.count(operation)).toBe(1)
    expect(storyOf(await until(keyOf(flow, body), 'succeeded'))).toContain('attached')
  })
})
