import { examples } from '@tieline/contracts/examples'
import { describe, expect, it } from 'vitest'
import { listMail, sentIds, stateOfAll } from './enrollment-lists.ts'
import { msgAck, problem400 } from './expected-replies.ts'
import { enrollmentRecord, enrollmentRequest, keyOf, toDacsEnrollment, unknownProgram } from './golden-messages.ts'
import { bodiesOf, mailsAbout, standOf, storyOf, told } from './observed.ts'
import { startTwoSites } from './two-sites.ts'
import { openPipeline, usePipeline } from './use-pipeline.ts'

const flow = 'enrollment-request'
const operation = 'enrollProgram'

describe('an enrollment request', () => {
  const usual = usePipeline()

  it('with a good record becomes one enrollment in DACS and is answered SUCCESS', async () => {
    const { dacs, post, until } = usual()
    const body = examples[flow]
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    const answer = { id: 'DR-ENR-000123', value: '61938204477015', responseCode: 'SUCCESS' }
    expect(told(await post(flow, body))).toEqual(msgAck('SUCCESS', answer))
    expect(bodiesOf(dacs, operation)).toEqual([examples['enrollment-request.to-dacs']])
    expect(dacs.received).toHaveLength(1)

    const message = await until(keyOf(flow, body), 'succeeded')
    const effects = stateOfAll('confirmed', 'DR-ENR-000123')
    expect(standOf(message)).toEqual({ state: 'succeeded', outcome: 'SUCCESS', generation: 1, attempts: 1, effects })
    expect(storyOf(message)).toEqual(['accepted', 'attempt', 'called', 'settled'])
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('sends its records one after another and answers them in their order', async () => {
    const { dacs, post, until } = usual()
    const ids = ['order-5', 'order-1', 'order-4', 'order-2', 'order-3']
    const body = enrollmentRequest(...ids.map((id) => enrollmentRecord(id)))
    dacs.latency({ ms: 20, operation })
    const { body: reply } = told(await post(flow, body))
    const answers = ids.map((id) => ({
      id,
      value: dacs.enrollments.get(id)?.enrollmentId ?? '',
      responseCode: 'SUCCESS',
    }))
    expect(reply).toEqual(msgAck('SUCCESS', ...answers).body)
    expect(bodiesOf(dacs, operation)).toEqual(ids.map(toDacsEnrollment))
    const times = dacs.received.map(({ at }) => at)
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(19)
    await until(keyOf(flow, body), 'succeeded')
  })

  it('answers a record that breaks the contract with ERROR, without a call, and sends the others', async () => {
    const { dacs, post, until } = usual()
    const tooLong = enrollmentRecord('broken-2', { customerInfo: { name: 'x'.repeat(255) } })
    const body = enrollmentRequest(enrollmentRecord('broken-1'), tooLong, null, enrollmentRecord('broken-4'))
    const enrollmentId = (id: string) => dacs.enrollments.get(id)?.enrollmentId ?? ''
    const reply = told(await post(flow, body))
    expect(reply).toEqual(
      msgAck(
        'ERROR',
        { id: 'broken-1', value: enrollmentId('broken-1'), responseCode: 'SUCCESS' },
        { id: 'broken-2', value: 'params.1.customerInfo.name: at most 254 characters', responseCode: 'ERROR' },
        { id: '', value: 'params.2: expected object', responseCode: 'ERROR' },
        { id: 'broken-4', value: enrollmentId('broken-4'), responseCode: 'SUCCESS' },
      ),
    )
    expect(sentIds(dacs)).toEqual(['broken-1', 'broken-4'])
    const message = await until(keyOf(flow, body), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'contract-violation', attempts: 1 })
    expect(await mailsAbout(usual(), message)).toEqual([listMail('contract-violation', message.key, { attempts: '1' })])
  })

  it('passes a refusal of DACS on as ERROR of that record, in the words of DACS, and never retries it', async () => {
    const { dacs, post, until } = usual()
    const body = examples['enrollment-request.mixed']
    dacs.failNext({ operation, status: 200, body: examples['enrollment-request.dacs-answer'] })
    const words = { title: 'Validation failed', detail: '<![CDATA[Program code UNKNOWN is not valid]]>' }
    dacs.failNext({ operation, status: 400, body: { problemDetailDocument: words } })
    const { MsgAck: golden } = examples['enrollment-request.reply-mixed']
    const answers = golden.responses.response.map(({ responseTimeISO: _, ...answer }) => answer)
    expect(told(await post(flow, body))).toEqual(msgAck('ERROR', ...answers))
    expect(dacs.count(operation)).toBe(2)

    const message = await until(keyOf(flow, body), 'refused')
    const effects = { ...stateOfAll('confirmed', 'DR-ENR-000123'), ...stateOfAll('refused', 'DR-ENR-000124') }
    const stand = { state: 'refused', outcome: 'ERROR', code: 'target-refused', generation: 1, attempts: 1, effects }
    expect(standOf(message)).toEqual(stand)
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('without a list, or with an empty one, is answered ERROR without a call', async () => {
    const { dacs, post, until } = usual()
    const cases = [
      [enrollmentRequest(), 'must not be empty'],
      [{ drmsInstanceId: 'SITE1' }, 'expected array'],
      [{ drmsInstanceId: 'SITE1', params: null }, 'expected array'],
    ] as const
    for (const [body, rule] of cases) {
      const value = `The message breaks its contract: params: ${rule}`
      expect(told(await post(flow, body))).toEqual(msgAck('ERROR', { id: '', value, responseCode: 'ERROR' }))
      const message = await until(keyOf(flow, body), 'refused')
      expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'contract-violation', effects: {} })
      expect(await mailsAbout(usual(), message)).toHaveLength(1)
    }
    expect(dacs.received).toEqual([])
  })

  it('that is no JSON object is refused at the door and recorded nowhere', async () => {
    const { dacs, post, messages } = usual()
    const before = await messages()
    const cases = [
      ['{"params":[],}', 'The body is not JSON: reading stopped at position 13'],
      ['{"params": [', 'The body is not JSON'],
      ['', 'The body is not JSON'],
      ['[]', 'The body must be a JSON object'],
    ] as const
    for (const [body, detail] of cases) {
      const posted = await post(flow, body)
      expect(told(posted)).toEqual(problem400({ detail, code: 'malformed-body' }))
      expect(posted.headers.get('content-type')).toBe('application/problem+json')
    }
    expect(await messages()).toEqual(before)
    expect(dacs.received).toEqual([])
  })

  it('answers a record without messageId with an empty id and its place in the list', async () => {
    const { dacs, post } = usual()
    const { messageId: _, ...nameless } = enrollmentRecord('')
    const body = enrollmentRequest(enrollmentRecord('named-1'), nameless, enrollmentRecord(''))
    expect(told(await post(flow, body))).toEqual(
      msgAck(
        'ERROR',
        { id: 'named-1', value: dacs.enrollments.get('named-1')?.enrollmentId ?? '', responseCode: 'SUCCESS' },
        { id: '', value: 'params.1.messageId: expected string', responseCode: 'ERROR' },
        { id: '', value: 'params.2.messageId: must not be empty', responseCode: 'ERROR' },
      ),
    )
    expect(sentIds(dacs)).toEqual(['named-1'])
  })

  it('sends a messageId that comes twice once, and answers both', async () => {
    const { dacs, post } = usual()
    const body = enrollmentRequest(enrollmentRecord('twin-1'), enrollmentRecord('twin-2'), enrollmentRecord('twin-1'))
    const reply = told(await post(flow, body))
    const answers = ['twin-1', 'twin-2', 'twin-1'].map((id) => {
      const value = dacs.enrollments.get(id)?.enrollmentId ?? ''
      return { id, value, responseCode: 'SUCCESS' }
    })
    expect(reply).toEqual(msgAck('SUCCESS', ...answers))
    expect(sentIds(dacs)).toEqual(['twin-1', 'twin-2'])
  })

  it('takes a state that EnrollmentStatus does not know for SUCCESS with an enrollment id, else for ERROR', async () => {
    const { dacs, post, until } = usual()
    const body = enrollmentRequest(...['state-1', 'state-2', 'state-3'].map((id) => enrollmentRecord(id)))
    dacs.failNext({ operation, status: 200, body: { enrollmentId: '7001', status: 'WEIRD' } })
    dacs.failNext({ operation, status: 200, body: { 'X1-DAEnroll': { status: 'WEIRD' } } })
    dacs.failNext({ operation, status: 200, body: { 'X1-DAEnroll': { enrollmentId: '7003', status: 'VALERROR' } } })
    expect(told(await post(flow, body))).toEqual(
      msgAck(
        'ERROR',
        { id: 'state-1', value: '7001', responseCode: 'SUCCESS' },
        { id: 'state-2', value: 'DACS answered with status WEIRD', responseCode: 'ERROR' },
        { id: 'state-3', value: 'DACS answered with status VALERROR', responseCode: 'ERROR' },
      ),
    )
    expect(dacs.count(operation)).toBe(3)
    const message = await until(keyOf(flow, body), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'target-refused' })
    expect(await mailsAbout(usual(), message)).toEqual([])
  })

  it('passes a device that AssetSpec and AssetType do not know to DACS as it is', async () => {
    const { dacs, post } = usual()
    const device = { make: 'Acme', model: 'Heat 9', assetType: 'HEAT_PUMP', nicId: 'NIC-9', headEndSystem: 'ACME' }
    const assetInfo = { installationMethod: 'X1SI', assetOwnership: 'W1CO', assetList: [device] }
    const body = enrollmentRequest(enrollmentRecord('asset-1', { assetInfo }))
    const value = 'Specification is not valid: Specification ACME!HEAT 9 is not valid'
    expect(told(await post(flow, body))).toEqual(msgAck('ERROR', { id: 'asset-1', value, responseCode: 'ERROR' }))
    const { make: _make, model: _model, ...same } = device
    const sent = {
      ...toDacsEnrollment('asset-1'),
      assetInfo: { ...assetInfo, assetList: [{ ...same, specification: 'ACME!HEAT 9' }] },
    }
    expect(bodiesOf(dacs, operation)).toEqual([sent])
  })

  it('is answered without the MsgAck wrapper where DERMS reads none', async () => {
    await using unwrapped = await openPipeline({ sections: { compat: { msgAckWrapper: false } } })
    const { body } = await unwrapped.post(flow, enrollmentRequest(unknownProgram('bare-1')))
    const value = 'Program code is not valid: Program code UNKNOWN is not valid'
    const { MsgAck } = msgAck('ERROR', { id: 'bare-1', value, responseCode: 'ERROR' }).body
    expect(body).toEqual(MsgAck)
  })

  it('goes to the DACS of its instance, and is answered ERROR naming what Routing lacks', async () => {
    await using sites = await startTwoSites()
    const { pipeline, north, south } = sites
    const routed = enrollmentRequest(enrollmentRecord('routed-1'))
    const good = { id: 'routed-1', value: '48213377560192', responseCode: 'SUCCESS' }
    expect(told(await pipeline.post(flow, routed))).toEqual(msgAck('SUCCESS', good))
    expect([north.dacs.count(operation), south.dacs.count(operation)]).toEqual([1, 0])

    const lost = {
      ...enrollmentRequest(enrollmentRecord('routed-2'), enrollmentRecord('routed-3')),
      drmsInstanceId: 'SITE2',
    }
    const value = 'Routing has no row for DRMS_Instance "SITE2", and there are 2 dacs connections'
    const answers = ['routed-2', 'routed-3'].map((id) => ({ id, value, responseCode: 'ERROR' }))
    expect(told(await pipeline.post(flow, lost))).toEqual(msgAck('ERROR', ...answers))
    expect([north.dacs.count(operation), south.dacs.count(operation)]).toEqual([1, 0])
    const message = await pipeline.until(keyOf(flow, lost), 'refused')
    expect(standOf(message)).toMatchObject({ outcome: 'ERROR', code: 'routing-missing', effects: {} })
    expect(await mailsAbout(pipeline, message)).toEqual([listMail('routing-missing', message.key, { attempts: '1' })])
  })
})
