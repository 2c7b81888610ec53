import { canonicalJson } from '@tieline/contracts/canonical-json'
import { examples } from '@tieline/contracts/examples'
import { readStoredPayload } from '@tieline/journal/operations'
import { eventually } from '@tieline/testkit/eventually'
import { describe, expect, it } from 'vitest'
import { externalId, fault400, fault500 } from './expected-replies.ts'
import { enrollmentSync, keyOf, toDermsEnrollment } from './golden-messages.ts'
import { bodiesOf, errorMail, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { startTwoSites } from './two-sites.ts'
import { retryingFor, usePipeline } from './use-pipeline.ts'

const flow = 'enrollment-sync'
const operation = 'enroll'

describe('an enrollment sync', () => {
  const usual = usePipeline()
  const hasty = usePipeline(retryingFor(flow, 1))

  it('goes to DERMS as the contract says, and DACS gets its sync request id back', async () => {
    const { derms, post, until } = usual()
    const body = examples[flow]
    expect(told(await post(flow, body))).toEqual({ status: 200, body: examples['enrollment-sync.reply'] })
    expect(bodiesOf(derms, operation)).toEqual([examples['enrollment-sync.to-derms']])
    expect(derms.received).toHaveLength(1)
    const message = await until(keyOf(flow, body), 'succeeded')
    const effects = { enroll: 'confirmed' }
    expect(standOf(message)).toEqual({ state: 'succeeded', outcome: 'SUCCESS', generation: 1, attempts: 1, effects })
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'called', 'settled'])
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('passes fields that no contract names, inside its objects', async () => {
    const { derms, post } = usual()
    const changes = { contactInfo: { loyalty: { tier: 'gold' } }, subscriptionInfo: { note: '' } }
    await post(flow, enrollmentSync('1001', changes))
    expect(bodiesOf(derms, operation)).toEqual([toDermsEnrollment('1001', changes)])
  })

  it('keeps the digits of numbers from wire to wire, and is no repeat when only a digit differs', async () => {
    const { derms, journal, post } = usual()
    const body = enrollmentSync('1020', { contactInfo: { loyalty: ['DIGITS'] }, locationInfo: { meter: 'DIGITS' } })
    const withDigits = (message: unknown, digits: string) => JSON.stringify(message).replaceAll('"DIGITS"', digits)
    const all = ['12345678901234567890', '12345678901234567891', '1e400', '1.10', '1.1', '-0']
    for (const digits of all) expect(told(await post(flow, withDigits(body, digits)))).toEqual(externalId('1020'))
    const sent = toDermsEnrollment('1020', { contactInfo: { loyalty: ['DIGITS'] }, locationInfo: { meter: 'DIGITS' } })
    const bodies = bodiesOf(derms, operation).map((sentBody) => canonicalJson(sentBody))
    expect(bodies).toEqual(all.map((digits) => withDigits(JSON.parse(canonicalJson(sent)), digits)))
    const kept = JSON.stringify(await readStoredPayload(journal, keyOf(flow, body)))
    expect(kept).toBe(withDigits(body, '-0'))
  })

  it('that DERMS refuses is a fault at once, with an e-mail', async () => {
    const { derms, post, until } = usual()
    const body = enrollmentSync('1002')
    derms.failNext({ operation, status: 400 })
    expect(told(await post(flow, body))).toEqual(
      fault500({
        detail: 'DERMS_SITE1: enroll answered 400: Simulated failure',
        instance: flow,
        errorCode: 'APIInvocationError',
        cause: 'HTTP 400',
      }),
    )
    expect(derms.count(operation)).toBe(1)
    const message = await until(keyOf(flow, body), 'refused')
    const effects = { enroll: 'refused' }
    const stand = { state: 'refused', outcome: 'ERROR', code: 'target-refused', generation: 1, attempts: 1, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(usual(), message)).toEqual([
      errorMail('F2 Enrollment sync: target-refused 1002', {
        connection: 'DERMS_SITE1',
        httpStatus: '400',
        attempts: '1',
      }),
    ])
  })

  it('that DERMS fails is tried again until the time is over, then a fault, with one e-mail', async () => {
    const { derms, post, until } = hasty()
    const body = enrollmentSync('1003')
    derms.failNext({ operation, status: 503, times: 2 })
    expect(told(await post(flow, body))).toEqual(
      fault500({
        detail: 'DERMS_SITE1: enroll answered 503: Simulated failure',
        instance: flow,
        errorCode: 'APIInvocationError',
        cause: 'HTTP 503',
      }),
    )
    expect(derms.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'dead')
    const effects = { enroll: 'unknown' }
    const stand = { state: 'dead', outcome: 'FAILURE', code: 'target-error', generation: 1, attempts: 2, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(hasty(), message)).toEqual([
      errorMail('DERMS_SITE1 is down: F2 target-error 1003', {
        connection: 'DERMS_SITE1',
        httpStatus: '503',
        attempts: '2',
      }),
    ])
  })

  it('succeeds when DERMS is back while there is time, and nobody is told of the failure', async () => {
    const { derms, post, until } = usual()
    const body = enrollmentSync('1004')
    derms.dropBefore({ operation })
    expect(told(await post(flow, body))).toEqual(externalId('1004'))
    expect(derms.count(operation)).toBe(2)
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(standOf(message)).toMatchObject({ outcome: 'SUCCESS', attempts: 2, effects: { enroll: 'confirmed' } })
    expect(message.timeline).toContainEqual(expect.objectContaining({ what: 'retry', code: 'target-reset' }))
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('with a device status that has no row is a fault naming lookup and key, without a call', async () => {
    const { derms, post, until } = usual()
    const [device] = examples[flow].sendDetails.locationInfo.controllableDevices
    const controllableDevices = [device, { ...device, deviceLocationStatus: 'D1XX' }]
    const body = enrollmentSync('1005', { locationInfo: { controllableDevices } })
    const detail = 'DeviceLocationStatus has no row for "D1XX"'
    expect(told(await post(flow, body))).toEqual(fault500({ detail, instance: flow, errorCode: 'lookup-missing' }))
    expect(derms.received).toEqual([])
    const message = await until(keyOf(flow, body), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'lookup-missing', attempts: 1, effects: {} })
    expect(await mailsAbout(usual(), message)).toEqual([
      errorMail('F2 Enrollment sync: lookup-missing 1005', { attempts: '1' }),
    ])
  })

  it('that breaks its contract is a 400 fault naming fields, and is recorded nowhere', async () => {
    const { derms, post, messages } = usual()
    const before = await messages()
    const long = enrollmentSync('1234567890123456', {
      contactInfo: { cisPersonId: [7] },
      subscriptionInfo: { subscriptionId: '1' },
    })
    const errors = [
      { path: 'sendDetails.syncRequestId', rule: 'at most 14 characters' },
      { path: 'sendDetails.contactInfo.cisPersonId', rule: 'expected string' },
    ]
    const detail = 'The message breaks its contract'
    expect(told(await post(flow, long))).toEqual(fault400(flow, { detail, code: 'contract-violation', errors }))
    const missing = [{ path: 'sendDetails', rule: 'expected object' }]
    expect(told(await post(flow, {}))).toEqual(fault400(flow, { detail, code: 'contract-violation', errors: missing }))
    const unreadable = fault400(flow, { detail: 'The body is not JSON', code: 'malformed-body' })
    expect(told(await post(flow, 'not JSON'))).toEqual(unreadable)
    expect(await messages()).toEqual(before)
    expect(derms.received).toEqual([])
    expect(usual().mailbox.mails).toEqual([])
  })

  it('that DERMS answers 200 with an ERROR inside is a success, and the ERROR stands on the time line', async () => {
    const { derms, post, until } = usual()
    const body = enrollmentSync('1006', { contactInfo: { cisPersonId: '' } })
    expect(told(await post(flow, body))).toEqual(externalId('1006'))
    expect(bodiesOf(derms, operation)).toEqual([toDermsEnrollment('1006', { contactInfo: { cisPersonId: '' } })])
    const message = await until(keyOf(flow, body), 'succeeded')
    expect(message.timeline).toContainEqual(
      expect.objectContaining({ what: 'answer', connection: 'DERMS_SITE1', ackType: 'ERROR' }),
    )
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('waits for an earlier one of its subscription, and for no other', async () => {
    const { derms, post, until } = usual()
    const subscriptionInfo = { subscriptionId: '7001' }
    const [first, second] = ['1008', '1009'].map((id) => enrollmentSync(id, { subscriptionInfo }))
    derms.latency({ ms: 600, operation })
    const posts = [post(flow, first)]
    await eventually(() => derms.count(operation) === 1)
    posts.push(post(flow, second))
    await until(keyOf(flow, second), 'waiting')
    posts.push(post(flow, enrollmentSync('1010')))
    expect((await Promise.all(posts)).map(told)).toEqual(['1008', '1009', '1010'].map(externalId))

    const arrivals = derms.received.map(({ body, at }) => ({
      id: (body as { dacsMessageId: string }).dacsMessageId,
      at,
    }))
    expect(arrivals.map(({ id }) => id)).toEqual(['1008', '1010', '1009'])
    expect((arrivals[2]?.at ?? 0) - (arrivals[0]?.at ?? 0)).toBeGreaterThanOrEqual(599)
    expect(storyOf(await until(keyOf(flow, second), 'succeeded'))).toContain('released')
  })

  it('goes to the DERMS of its division, and is a fault naming what Routing lacks', async () => {
    await using sites = await startTwoSites()
    const { pipeline, north, south } = sites
    const division = (division: string) => ({ locationInfo: { division } })
    expect(told(await pipeline.post(flow, enrollmentSync('1015', division('NV'))))).toEqual(externalId('1015'))
    expect(bodiesOf(south.derms, operation)).toEqual([toDermsEnrollment('1015', division('NV'))])

    const lost = enrollmentSync('1016', division('XX'))
    const detail = 'Routing has no row for DACS_CIS_Division "XX", and there are 2 derms connections'
    expect(told(await pipeline.post(flow, lost))).toEqual(
      fault500({ detail, instance: flow, errorCode: 'routing-missing' }),
    )
    expect([north.derms.received.length, south.derms.received.length]).toEqual([0, 1])
    const message = await pipeline.until(keyOf(flow, lost), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'routing-missing', effects: {} })
    expect(await mailsAbout(pipeline, message)).toEqual([
      errorMail('F2 Enrollment sync: routing-missing 1016', { attempts: '1' }),
    ])
  })
})
