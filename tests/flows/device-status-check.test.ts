import { examples } from '@tieline/contracts/examples'
import { describe, expect, it } from 'vitest'
import { externalId, fault400, fault500 } from './expected-replies.ts'
import { deviceStatusAck, deviceStatusCheck, keyOf } from './golden-messages.ts'
import { bodiesOf, errorMail, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { startTwoSites } from './two-sites.ts'
import { retryingFor, usePipeline } from './use-pipeline.ts'

const flow = 'device-status-check'
const operation = 'statusCheck'

const toDerms = (dacsMessageId: string, device: object = {}) => {
  const { DeviceInfo } = examples['device-status-check.to-derms']
  return { dacsMessageId, DeviceInfo: { ...DeviceInfo, ...device } }
}

describe('a device status check', () => {
  const usual = usePipeline()
  const hasty = usePipeline(retryingFor(flow, 1))

  it('goes to DERMS as the contract says, and DACS gets its communication id back', async () => {
    const { derms, post, until } = usual()
    const body = examples[flow]
    expect(told(await post(flow, body))).toEqual({ status: 200, body: examples['device-status-check.reply'] })
    expect(bodiesOf(derms, operation)).toEqual([examples['device-status-check.to-derms']])
    expect(derms.received).toHaveLength(1)
    const message = await until(keyOf(flow, body), 'succeeded')
    const effects = { statusCheck: 'confirmed' }
    expect(standOf(message)).toEqual({ state: 'succeeded', outcome: 'SUCCESS', generation: 1, attempts: 1, effects })
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'called', 'settled'])
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('passes empty fields as they came and drops unknown ones', async () => {
    const { derms, post } = usual()
    await post(flow, deviceStatusCheck('3001', { specification: '', deviceType: null, colour: 'red' }))
    expect(bodiesOf(derms, operation)).toEqual([toDerms('3001', { specification: '', deviceType: null })])
  })

  it('that DERMS refuses is a fault at once, with an e-mail', async () => {
    const { derms, post, until } = usual()
    const body = deviceStatusCheck('3002', { nicid: '' })
    const detail = expect.stringMatching(/^DERMS_SITE1: statusCheck answered 400: DeviceInfo\.nicid: /)
    const fault = fault500({ detail, instance: flow, errorCode: 'APIInvocationError', cause: 'HTTP 400' })
    expect(told(await post(flow, body))).toEqual(fault)
    expect(derms.count(operation)).toBe(1)
    const message = await until(keyOf(flow, body), 'refused')
    const effects = { statusCheck: 'refused' }
    const stand = { state: 'refused', outcome: 'ERROR', code: 'target-refused', generation: 1, attempts: 1, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(usual(), message)).toEqual([
      errorMail('F4 Device status check: target-refused 3002', {
        connection: 'DERMS_SITE1',
        httpStatus: '400',
        attempts: '1',
      }),
    ])
  })

  it('that DERMS fails is tried again until the time is over, then a fault, with one e-mail', async () => {
    const { derms, post, until } = hasty()
    const body = deviceStatusCheck('3003')
    derms.dropBefore({ operation, times: 2 })
    const detail = 'DERMS_SITE1: statusCheck lost its connection (ECONNRESET)'
    const fault = fault500({ detail, instance: flow, errorCode: 'APIInvocationError', cause: 'target-reset' })
    expect(told(await post(flow, body))).toEqual(fault)
    expect(derms.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'dead')
    const effects = { statusCheck: 'unknown' }
    const stand = { state: 'dead', outcome: 'FAILURE', code: 'target-reset', generation: 1, attempts: 2, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(hasty(), message)).toEqual([
      errorMail('DERMS_SITE1 breaks off in the middle of calls: F4 target-reset 3003', {
        connection: 'DERMS_SITE1',
        attempts: '2',
      }),
    ])
  })

  it('succeeds when DERMS is back while there is time, and nobody is told of the failure', async () => {
    const { derms, post, until } = usual()
    const body = deviceStatusCheck('3004')
    derms.failNext({ operation, status: 503 })
    expect(told(await post(flow, body))).toEqual(externalId('3004'))
    expect(derms.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(standOf(message)).toMatchObject({ outcome: 'SUCCESS', attempts: 2 })
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('that breaks its contract is a 400 fault naming fields, and is recorded nowhere', async () => {
    const { derms, post, messages } = usual()
    const before = await messages()
    const detail = 'The message breaks its contract'
    const long = deviceStatusCheck('x'.repeat(31), { nicid: [7] })
    const errors = [
      { path: 'sendDetails.communicationId', rule: 'at most 30 characters' },
      { path: 'sendDetails.deviceInfo.nicid', rule: 'expected string' },
    ]
    expect(told(await post(flow, long))).toEqual(fault400(flow, { detail, code: 'contract-violation', errors }))
    const missing = [{ path: 'sendDetails.deviceInfo', rule: 'expected object' }]
    const deviceless = { sendDetails: { communicationId: '3005' } }
    const fault = fault400(flow, { detail, code: 'contract-violation', errors: missing })
    expect(told(await post(flow, deviceless))).toEqual(fault)
    const unreadable = fault400(flow, { detail: 'The body is not JSON', code: 'malformed-body' })
    expect(told(await post(flow, 'communicationId=3005'))).toEqual(unreadable)
    expect(await messages()).toEqual(before)
    expect(derms.received).toEqual([])
  })

  it('sent again gets the stored reply without a call until its status has come, then it is asked anew', async () => {
    const { dacs, derms, post, until } = usual()
    dacs.register({ communicationId: '3006' })
    const body = deviceStatusCheck('3006')
    expect(told(await post(flow, body))).toEqual(externalId('3006'))
    expect(told(await post(flow, body))).toEqual(externalId('3006'))
    expect(derms.count(operation)).toBe(1)
    expect(storyOf(await until(keyOf(flow, body), 'succeeded'))).toContain('replayed')

    await post('device-status-ack', deviceStatusAck('3006'))
    expect(told(await post(flow, body))).toEqual(externalId('3006'))
    expect(bodiesOf(derms, operation)).toEqual([toDerms('3006'), toDerms('3006')])
    expect(await until(keyOf(flow, body), 'succeeded')).toMatchObject({ generation: 2 })
  })

  it('goes to the DERMS of its division, and is a fault naming what Routing lacks', async () => {
    await using sites = await startTwoSites()
    const { pipeline, north, south } = sites
    const routed = deviceStatusCheck('3007', { division: 'NV' })
    expect(told(await pipeline.post(flow, routed))).toEqual(externalId('3007'))
    expect(bodiesOf(south.derms, operation)).toEqual([toDerms('3007', { division: 'NV' })])

    const lost = deviceStatusCheck('3008', { division: '' })
    const detail = 'Routing has no row for a message without instance and division, and there are 2 derms connections'
    const fault = fault500({ detail, instance: flow, errorCode: 'routing-missing' })
    expect(told(await pipeline.post(flow, lost))).toEqual(fault)
    expect([north.derms.received.length, south.derms.received.length]).toEqual([0, 1])
    const message = await pipeline.until(keyOf(flow, lost), 'refused')
    expect(await mailsAbout(pipeline, message)).toEqual([
      errorMail('F4 Device status check: routing-missing 3008', { attempts: '1' }),
    ])
  })
})
