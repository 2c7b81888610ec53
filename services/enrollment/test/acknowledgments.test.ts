import { examples } from '@tieline/contracts/examples'
import { backoff, never, TielineError } from '@tieline/runtime/error'
import {
  answer,
  type Ends,
  failed,
  fakeAttempt,
  fakeDeps,
  nowISO,
  nowMs,
  Postponed,
  refused,
  scripted,
  withoutDetails,
} from '@tieline/testkit/fakes'
import { describe, expect, test } from 'vitest'
import { createDeviceStatusAck } from '../src/processors/device-status-ack.ts'
import { createEnrollmentSyncAck } from '../src/processors/enrollment-sync-ack.ts'
import { lookupsWith } from './lookups.ts'

const lookups = lookupsWith()
const twoDacs = { A: { kind: 'dacs' }, B: { kind: 'dacs' } }
const routing = lookupsWith({
  Routing: [
    { DRMS_Instance: '', DRMS_Site_Connection: '', DACS_CIS_Division: 'CA', DACS_Connection: 'A' },
    { DRMS_Instance: '', DRMS_Site_Connection: '', DACS_CIS_Division: 'NV', DACS_Connection: 'B' },
  ],
})

describe('an enrollment sync acknowledgment', () => {
  const later = () => nowMs + 5_000
  const ackOf = (...ids: string[]) => ({
    MsgAck: { ackType: 'SUCCESS', responses: { response: ids.map((dacsMessageId) => ({ dacsMessageId })) } },
  })
  const start = (payload: unknown, ...ends: Ends) => {
    const dacs = scripted(...ends)
    const processor = createEnrollmentSyncAck(fakeDeps({ dacs: { updateSyncRequest: dacs.method } }, later))
    return { ...fakeAttempt('enrollment-sync-ack', payload), processor, calls: dacs.calls }
  }

  test('waits as long as the lookup says, counted from its acceptance', async () => {
    const { attempt } = fakeAttempt('enrollment-sync-ack', examples['enrollment-sync-ack'])
    const early = createEnrollmentSyncAck(fakeDeps({}, () => nowMs + 4_999))
    const error = await early.process(attempt, lookups).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Postponed)
    expect(error).toMatchObject({ untilMs: nowMs + 5_000 })
  })

  test.each([
    ['enrollment-sync-ack', 'enrollment-sync-ack.to-dacs'],
    ['enrollment-sync-ack.error', 'enrollment-sync-ack.error-to-dacs'],
  ] as const)('golden %s updates the sync request it names', async (source, target) => {
    const { attempt, processor, calls } = start(examples[source], answer())
    expect(await processor.process(attempt, lookups)).toEqual({ state: 'succeeded', outcome: 'SUCCESS' })
    expect(calls).toEqual([['26550147098960', examples[target]]])
  })

  test('updates one sync request after another, whatever becomes of each, and repeats only what failed', async () => {
    const run = start(ackOf('1', '2', '3'), refused(), failed('target-unreachable'), answer(), answer())
    await expect(run.processor.process(run.attempt, lookups)).rejects.toMatchObject({
      code: 'target-unreachable',
      retry: backoff,
    })
    expect(run.calls.map(([id]) => id)).toEqual(['1', '2', '3'])
    await expect(run.processor.process(run.attempt, lookups)).rejects.toMatchObject({
      code: 'target-refused',
      retry: never,
      status: 400,
    })
    expect(run.calls.map(([id]) => id)).toEqual(['1', '2', '3', '2'])
    expect([...run.effects.keys()]).toEqual(['sync.1.0', 'sync.3.2', 'sync.2.1'])
  })

  test('goes where the division of each sync leads', async () => {
    const dacs = scripted(answer(), answer())
    const deps = fakeDeps({ kinds: twoDacs, dacs: { updateSyncRequest: dacs.method } }, later)
    const { attempt, pins } = fakeAttempt('enrollment-sync-ack', ackOf('1', '2'), { 1: 'CA', 2: 'NV' })
    await createEnrollmentSyncAck(deps).process(attempt, routing)
    expect(pins).toEqual({ 'connection.1': 'A', 'connection.2': 'B' })
  })

  test('of a sync that nobody knows, between several DACS, holds up no other', async () => {
    const dacs = scripted(answer())
    const deps = fakeDeps({ kinds: twoDacs, dacs: { updateSyncRequest: dacs.method } }, later)
    const { attempt } = fakeAttempt('enrollment-sync-ack', ackOf('1', '2'), { 2: 'NV' })
    const process = createEnrollmentSyncAck(deps).process(attempt, routing)
    await expect(process).rejects.toMatchObject({ code: 'routing-missing', retry: never })
    expect(dacs.calls.map(([id]) => id)).toEqual(['2'])
  })

  test('of a client limited to an instance goes nowhere when by now the sync is known as another’s', async () => {
    const dacs = scripted(answer())
    const deps = fakeDeps({ kinds: twoDacs, dacs: { updateSyncRequest: dacs.method } }, later)
    const north = lookupsWith({
      Routing: [
        { DRMS_Instance: 'NORTH-7', DRMS_Site_Connection: '', DACS_CIS_Division: 'CA', DACS_Connection: 'A' },
        { DRMS_Instance: 'SOUTH-1', DRMS_Site_Connection: '', DACS_CIS_Division: 'NV', DACS_Connection: 'B' },
      ],
    })
    const [derms, ...others] = deps.installation.ingress.clients
    if (derms === undefined) throw new Error('The installation has no client')
    const clients = [{ ...derms, name: 'derms', instances: ['SOUTH-1'] }, ...others]
    const limited = {
      ...deps,
      installation: { ...deps.installation, ingress: { ...deps.installation.ingress, clients } },
    }
    const { attempt } = fakeAttempt('enrollment-sync-ack', ackOf('1', '2', '3'), { 1: 'CA', 2: 'NV' })
    const process = createEnrollmentSyncAck(limited).process(attempt, north)
    await expect(process).rejects.toMatchObject({ code: 'not-allowed', retry: never })
    expect(dacs.calls.map(([id]) => id)).toEqual(['2'])
  })

  test.each([
    ['a refusal', refused(), 'ERROR'],
    ['an outage', failed('target-timeout'), 'FAILURE'],
    ['a broken contract', new TielineError('contract-violation', never, 'The message breaks its contract'), 'ERROR'],
  ])('that ends with %s is a dead letter with an e-mail', (_, error, outcome) => {
    const { attempt, processor } = start({})
    const settlement = processor.giveUp(attempt, error, lookups)
    expect(settlement).toMatchObject({ state: 'dead', outcome, code: error.code, notices: [{ code: error.code }] })
    expect(settlement.reply).toBeUndefined()
  })

  test('that is none stops without a call', async () => {
    const { attempt, processor } = start({ hello: 1 })
    await expect(processor.process(attempt, lookups)).rejects.toMatchObject({
      code: 'contract-violation',
      retry: never,
    })
  })
})

describe('a device status acknowledgment', () => {
  const payload = examples['device-status-ack']
  const start = (body: unknown, ...ends: Ends) => {
    const dacs = scripted(...ends)
    const processor = createDeviceStatusAck(fakeDeps({ dacs: { postDeviceStatus: dacs.method } }))
    return { ...fakeAttempt('device-status-ack', body), processor, calls: dacs.calls }
  }
  const end = async (body: unknown, ...ends: Ends) => {
    const { attempt, processor, calls } = start(body, ...ends)
    const error = await processor.process(attempt, lookups).catch((error: unknown) => error)
    return { settlement: processor.giveUp(attempt, error as TielineError, lookups), calls }
  }
  const reply = (ackType: string, response: object) => ({
    status: 200,
    body: {
      MsgAck: { ackType, whenISO: nowISO, responses: { response: [{ ...response, responseTimeISO: nowISO }] } },
    },
  })

  test("goes to DACS and is answered with DACS' state", async () => {
    const { attempt, processor, calls } = start(payload, answer(examples['device-status-ack.dacs-answer']))
    const settlement = await processor.process(attempt, lookups)
    expect(calls).toEqual([[examples['device-status-ack.to-dacs']]])
    const { dacsMessageId } = payload
    expect(settlement).toEqual({
      state: 'succeeded',
      outcome: 'SUCCESS',
      reply: reply('SUCCESS', { responseCode: 'COMPLETE', dacsMessageId }),
    })
  })

  test('goes where the division of its question leads', async () => {
    const dacs = scripted(answer())
    const deps = fakeDeps({ kinds: twoDacs, dacs: { postDeviceStatus: dacs.method } })
    const { attempt, pins } = fakeAttempt('device-status-ack', payload, { [payload.dacsMessageId]: 'NV' })
    await createDeviceStatusAck(deps).process(attempt, routing)
    expect(Object.values(pins)).toEqual(['B'])
  })

  test('that DACS refuses is a FAILURE in its words, with an e-mail without them', async () => {
    const { settlement } = await end(payload, refused({ farText: 'marked' }))
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'FAILURE', code: 'target-refused' })
    const { dacsMessageId } = payload
    expect(settlement.reply).toEqual(reply('FAILURE', { value: 'marked', responseCode: 'FAILURE', dacsMessageId }))
    expect(settlement.notices).toMatchObject([{ code: 'target-refused', httpStatus: 400 }])
    expect(JSON.stringify(settlement.notices, withoutDetails)).not.toContain('marked')
  })

  test('that DACS cannot take is a FAILURE with an e-mail', async () => {
    const { settlement } = await end(payload, failed('target-unreachable'))
    expect(settlement).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: 'target-unreachable' })
    expect(settlement.notices).toMatchObject([
      { next: expect.stringContaining('DERMS is told FAILURE and sends it again'), rerun: 'dead resubmit' },
    ])
  })

  test('that breaks its contract is an ERROR that names the field, with an e-mail and without a call', async () => {
    const { settlement, calls } = await end({ dacsMessageId: '882' })
    expect(calls).toEqual([])
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'ERROR', code: 'contract-violation' })
    const value = 'The message breaks its contract: responseCode: expected string'
    expect(settlement.reply).toEqual(reply('ERROR', { value, responseCode: 'ERROR', dacsMessageId: '882' }))
    expect(settlement.notices).toHaveLength(1)
  })

  test('without any id is answered all the same', async () => {
    const { settlement } = await end(null)
    expect(settlement.reply?.body).toMatchObject({ MsgAck: { ackType: 'ERROR' } })
  })
})
