import { examples } from '@tieline/contracts/examples'
import { describe, expect, it } from 'vitest'
import { msgAck, problem400 } from './expected-replies.ts'
import { deviceStatusAck, deviceStatusCheck, keyOf } from './golden-messages.ts'
import { bodiesOf, errorMail, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { startTwoSites } from './two-sites.ts'
import { openPipeline, replyingWithin1s, retryingFor, usePipeline } from './use-pipeline.ts'

const flow = 'device-status-ack'
const operation = 'postDeviceStatus'

const toDacs = (transactionID: string, status = 'SUCCESS') => ({
  responseDetail: { transactionID, result: { status } },
})

describe('a device status acknowledgment', () => {
  const usual = usePipeline()
  const hasty = usePipeline(retryingFor(flow, 1))

  it('goes to DACS as the contract says, and is answered SUCCESS with the state that DACS reports', async () => {
    const { dacs, post, until } = usual()
    const body = examples[flow]
    const { dacsMessageId } = body
    dacs.register({ communicationId: dacsMessageId })
    const [answer] = examples['device-status-ack.reply'].MsgAck.responses.response
    expect(answer).toMatchObject({ responseCode: 'COMPLETE', dacsMessageId })
    expect(told(await post(flow, body))).toEqual(msgAck('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId }))
    expect(bodiesOf(dacs, operation)).toEqual([examples['device-status-ack.to-dacs']])
    expect(dacs.received).toHaveLength(1)
    const message = await until(keyOf(flow, body), 'succeeded')
    const effects = { status: 'confirmed' }
    expect(standOf(message)).toEqual({ state: 'succeeded', outcome: 'SUCCESS', generation: 1, attempts: 1, effects })
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'called', 'settled'])
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('of a device that does not answer is a SUCCESS too: the state of DACS says what came of it', async () => {
    const { dacs, post } = usual()
    dacs.register({ communicationId: '4001' })
    const body = deviceStatusAck('4001', 'FAILURE')
    expect(told(await post(flow, body))).toEqual(msgAck('SUCCESS', { responseCode: 'ERROR', dacsMessageId: '4001' }))
    expect(bodiesOf(dacs, operation)).toEqual([toDacs('4001', 'FAILURE')])
  })

  it('that DACS answers without a state is answered SUCCESS with its own id', async () => {
    const { dacs, post } = usual()
    dacs.failNext({ operation, status: 200, body: {} })
    const reply = msgAck('SUCCESS', { responseCode: 'SUCCESS', dacsMessageId: '4002' })
    expect(told(await post(flow, deviceStatusAck('4002')))).toEqual(reply)
  })

  it('that DACS refuses is a FAILURE in the words of DACS, at once, with an e-mail', async () => {
    const { dacs, post, until } = usual()
    const body = deviceStatusAck('4003')
    const value = 'Communication not found: Communication 4003 does not exist'
    const answer = { value, responseCode: 'FAILURE', dacsMessageId: '4003' }
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', answer))
    expect(bodiesOf(dacs, operation)).toEqual([toDacs('4003')])
    const message = await until(keyOf(flow, body), 'refused')
    const effects = { status: 'refused' }
    const stand = { state: 'refused', outcome: 'FAILURE', code: 'target-refused', generation: 1, attempts: 1, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(usual(), message)).toEqual([
      errorMail('F5 Device status acknowledgment: target-refused 4003', {
        connection: 'DACS_MAIN',
        httpStatus: '400',
        attempts: '1',
      }),
    ])
  })

  it('sent again after a refusal is tried again', async () => {
    const { dacs, post } = usual()
    await post(flow, deviceStatusAck('4004'))
    dacs.register({ communicationId: '4004' })
    const reply = msgAck('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId: '4004' })
    expect(told(await post(flow, deviceStatusAck('4004')))).toEqual(reply)
    expect(dacs.received.map(({ answered }) => answered)).toEqual([400, 200])
  })

  it('that DACS fails is tried again until the time is over, then a FAILURE, with one e-mail', async () => {
    const { dacs, post, until } = hasty()
    const body = deviceStatusAck('4005')
    dacs.failNext({ operation, status: 503, body: {}, times: 2 })
    const value = 'DACS_MAIN: postDeviceStatus answered 503'
    const answer = { value, responseCode: 'FAILURE', dacsMessageId: '4005' }
    expect(told(await post(flow, body))).toEqual(msgAck('FAILURE', answer))
    expect(dacs.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'dead')
    const effects = { status: 'unknown' }
    const stand = { state: 'dead', outcome: 'FAILURE', code: 'target-error', generation: 1, attempts: 2, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(hasty(), message)).toEqual([
      errorMail('DACS_MAIN is down: F5 target-error 4005', {
        connection: 'DACS_MAIN',
        httpStatus: '503',
        attempts: '2',
      }),
    ])
  })

  it('whose answer got lost after DACS took it is repeated, and is a SUCCESS', async () => {
    const { dacs, post, until } = usual()
    dacs.register({ communicationId: '4006' })
    const body = deviceStatusAck('4006')
    dacs.applyThenDrop({ operation })
    expect(told(await post(flow, body))).toEqual(msgAck('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId: '4006' }))
    expect(dacs.received.map(({ answered, applied }) => [answered, applied])).toEqual([
      ['dropped', true],
      [200, false],
    ])
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('that breaks its contract is answered ERROR without a call, with an e-mail', async () => {
    const { dacs, post, until } = usual()
    const cases = [
      [{ dacsMessageId: '4007' }, 'responseCode: expected string', '4007'],
      [{ dacsMessageId: '4008', responseCode: '' }, 'responseCode: must not be empty', '4008'],
      [deviceStatusAck('4'.repeat(31)), 'dacsMessageId: at most 30 characters', '4'.repeat(31)],
      [{ responseCode: 'SUCCESS' }, 'dacsMessageId: expected string', undefined],
    ] as const
    for (const [body, fault, dacsMessageId] of cases) {
      const value = `The message breaks its contract: ${fault}`
      const answer = { value, responseCode: 'ERROR', ...(dacsMessageId !== undefined && { dacsMessageId }) }
      expect(told(await post(flow, body))).toEqual(msgAck('ERROR', answer))
      const message = await until(keyOf(flow, body), 'refused')
      expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'contract-violation', attempts: 1, effects: {} })
      const name = message.id.length <= 60 ? message.id : `${message.id.slice(0, 59)}…`
      expect(await mailsAbout(usual(), message)).toEqual([
        errorMail(`F5 Device status acknowledgment: contract-violation ${name}`, { attempts: '1' }),
      ])
    }
    expect(dacs.received).toEqual([])
  })

  it('that is no JSON object is refused at the door and recorded nowhere', async () => {
    const { dacs, post, messages } = usual()
    const before = await messages()
    const unreadable = problem400({ detail: 'The body is not JSON', code: 'malformed-body' })
    expect(told(await post(flow, 'not JSON'))).toEqual(unreadable)
    const list = problem400({ detail: 'The body must be a JSON object', code: 'malformed-body' })
    expect(told(await post(flow, [deviceStatusAck('4009')]))).toEqual(list)
    expect(await messages()).toEqual(before)
    expect(dacs.received).toEqual([])
  })

  it('whose result takes too long is answered IN_PROGRESS under its own id, and its repeat collects the result', async () => {
    await using slow = await openPipeline(replyingWithin1s(flow))
    const { dacs, post } = slow
    dacs.register({ communicationId: '4010' })
    dacs.latency({ ms: 1_500, operation })
    const provisional = { value: 'IN_PROGRESS', responseCode: 'FAILURE', dacsMessageId: '4010' }
    expect(told(await post(flow, deviceStatusAck('4010')))).toEqual(msgAck('FAILURE', provisional))
    const reply = msgAck('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId: '4010' })
    expect(told(await post(flow, deviceStatusAck('4010')))).toEqual(reply)
    expect(dacs.count(operation)).toBe(1)
  })

  it('goes to the DACS whose division the check carried; without a check it is an ERROR naming what Routing lacks', async () => {
    await using sites = await startTwoSites()
    const { pipeline, north, south } = sites
    await pipeline.post('device-status-check', deviceStatusCheck('4011', { division: 'NV' }))
    const reply = msgAck('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId: '4011' })
    expect(told(await pipeline.post(flow, deviceStatusAck('4011')))).toEqual(reply)
    expect(bodiesOf(south.dacs, operation)).toEqual([toDacs('4011')])

    const value = 'Routing has no row for a message without instance and division, and there are 2 dacs connections'
    const answer = { value, responseCode: 'ERROR', dacsMessageId: '4012' }
    expect(told(await pipeline.post(flow, deviceStatusAck('4012')))).toEqual(msgAck('ERROR', answer))
    expect([north.dacs.received.length, south.dacs.received.length]).toEqual([0, 1])
    const message = await pipeline.until(keyOf(flow, deviceStatusAck('4012')), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'routing-missing', effects: {} })
    expect(await mailsAbout(pipeline, message)).toEqual([
      errorMail('F5 Device status acknowledgment: routing-missing 4012', { attempts: '1' }),
    ])
  })
})
