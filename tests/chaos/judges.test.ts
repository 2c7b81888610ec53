import type { History, Judge, Sent } from '@tieline/tools/chaos/history'
import { noEffectIsLost } from '@tieline/tools/chaos/judge-effects'
import { everyMessageEnds, everythingRecovers } from '@tieline/tools/chaos/judge-endings'
import { orderIsKept } from '@tieline/tools/chaos/judge-order'
import { noneIsAppliedTwice } from '@tieline/tools/chaos/judge-repeats'
import { repliesAgree } from '@tieline/tools/chaos/judge-replies'
import { resubmittedIsDone } from '@tieline/tools/chaos/judge-resubmissions'
import { judge } from '@tieline/tools/chaos/report'
import { describe, expect, it } from 'vitest'
import {
  ack,
  actKey,
  callAct,
  callCreate,
  createKey,
  good,
  recorded,
  recordedAct,
  sentCreate,
  syncBody,
  syncKey,
} from './histories.ts'

const found = (one: Judge, planted: Partial<History>) => one({ ...good, ...planted }).map(({ what }) => what)

const again: Sent = { ...sentCreate, at: 1_205, answeredAt: 1_300 }
const unknown = { at: 1_150, what: 'called', effect: 'create', state: 'unknown' }
const confirmed = { at: 1_170, what: 'called', effect: 'create', state: 'confirmed' }
const begun = [
  { at: 1_010, what: 'accepted', generation: 1 },
  { at: 1_030, what: 'attempt', number: 1 },
]
const ended = { at: 1_190, what: 'settled', state: 'succeeded', outcome: 'SUCCESS' }
const withCreate = (fields: Parameters<typeof recorded>[1]) => ({
  messages: [recorded(createKey, fields), recordedAct],
})

describe('the judges', () => {
  it('find nothing in a history in which every property holds', () => {
    expect(judge(good).flatMap(({ violations }) => violations)).toEqual([])
  })

  it('see a message that is still open', () => {
    expect(found(everyMessageEnds, withCreate({ state: 'retrying' }))).toEqual(['it is still retrying at the end'])
  })

  it('see an accepted message that the journal does not know', () => {
    const accepted: Sent = {
      ...sentCreate,
      flow: 'enrollment-sync-ack',
      key: 'enrollment-sync-ack.derms.1',
      status: 202,
    }
    expect(found(everyMessageEnds, { sent: [accepted] })).toHaveLength(1)
  })

  it('see a SUCCESS without its effect at the target', () => {
    expect(found(noEffectIsLost, { dacs: [callAct] })).toEqual([
      'its caller was told SUCCESS, and never applied: createProgramEvent 7',
      'the journal says succeeded, and never applied: createProgramEvent 7',
    ])
  })

  it('see a SUCCESS whose effect was refused', () => {
    expect(found(noEffectIsLost, { dacs: [{ ...callCreate, applied: false, answered: 400 }, callAct] })).toHaveLength(2)
  })

  it('see that a record was told SUCCESS and never enrolled, beside one that was', () => {
    const body = { params: [{ messageId: 'A' }, { messageId: 'B' }] }
    const responses = ['A', 'B'].map((id) => ({ id, responseCode: 'SUCCESS', responseTimeISO: '' }))
    const reply = { MsgAck: { ackType: 'SUCCESS', whenISO: '', responses: { response: responses } } }
    const sent: Sent = { ...sentCreate, flow: 'enrollment-request', key: 'enrollment-request.SITE1.x', body, reply }
    const enrolled = { ...callCreate, operation: 'enrollProgram', body: { transactionId: 'A' } }
    expect(found(noEffectIsLost, { sent: [sent], dacs: [...good.dacs, enrolled] })).toEqual([
      'its caller was told SUCCESS, and never applied: enrollProgram B',
    ])
  })

  it('see that the target has another payload than the one that was told SUCCESS', () => {
    const sent: Sent = { ...sentCreate, flow: 'enrollment-sync', key: syncKey, body: syncBody(1), reply: {} }
    const delivered = {
      ...callCreate,
      operation: 'enroll',
      body: { dacsMessageId: '20000000000001', subscriptionInfo: { status: 'ACTIVE-0' } },
    }
    expect(found(noEffectIsLost, { sent: [sent], derms: [delivered] })).toEqual([
      'its caller was told SUCCESS, and never applied: enroll 20000000000001 (ACTIVE-1)',
    ])
  })

  it('see an effect applied twice', () => {
    const twice = { dacs: [callCreate, { ...callCreate, at: 1_180 }, callAct] }
    const doubted = withCreate({ timeline: [...begun, unknown, confirmed, ended] })
    expect(found(noneIsAppliedTwice, { ...twice, ...doubted })).toEqual(['applied twice: createProgramEvent 7'])
  })

  it('see a repeat without a journaled doubt, and accept one with it', () => {
    const repeated = { dacs: [callCreate, { ...callCreate, at: 1_160, applied: false }, callAct] }
    expect(found(noneIsAppliedTwice, repeated)).toEqual([
      'call 2 of createProgramEvent 7 without a journaled doubt about the one before',
    ])
    const doubted = withCreate({ timeline: [...begun, unknown, confirmed, ended] })
    expect(found(noneIsAppliedTwice, { ...repeated, ...doubted })).toEqual([])
    const crash = { at: 1_150, what: 'effect', effect: 'create', state: 'unknown', code: 'crash' }
    const crashed = withCreate({ timeline: [...begun, crash, confirmed, ended] })
    expect(found(noneIsAppliedTwice, { ...repeated, ...crashed })).toEqual([])
  })

  it('see a doubt that was journaled only after the repeat', () => {
    const repeated = { dacs: [callCreate, { ...callCreate, at: 1_140, applied: false }, callAct] }
    const doubted = withCreate({ timeline: [...begun, unknown, confirmed, ended] })
    expect(found(noneIsAppliedTwice, { ...repeated, ...doubted })).toHaveLength(1)
  })

  it('see callers of one generation who were told differently', () => {
    const other: Sent = { ...again, at: 1_100, reply: ack('SUCCESS', 'other words') }
    expect(found(repliesAgree, { sent: [sentCreate, other] })).toEqual([
      expect.stringContaining('callers of generation 1 were told differently'),
    ])
    expect(
      found(repliesAgree, { sent: [sentCreate, { ...again, reply: ack('SUCCESS', '', 'another time') }] }),
    ).toEqual([])
  })

  it('see a reply that is not what the journal says', () => {
    expect(found(repliesAgree, { sent: [{ ...sentCreate, reply: ack('ERROR', 'no') }] })).toEqual([
      expect.stringContaining('told ERROR'),
    ])
  })

  it('see a superseded payload that was told SUCCESS', () => {
    const changed = { ...again, at: 1_050, answeredAt: 1_500, version: 'v1' }
    const timeline = [
      ...begun,
      { at: 1_060, what: 'accepted', generation: 2, changed: true },
      { at: 1_080, what: 'attempt', number: 1 },
      confirmed,
      ended,
    ]
    const superseded = { ...sentCreate, answeredAt: 1_055, reply: ack('ERROR', 'SUPERSEDED') }
    expect(found(repliesAgree, { sent: [superseded, changed], ...withCreate({ timeline }) })).toEqual([])
    const told = { ...sentCreate, at: 1_000, answeredAt: 1_195 }
    expect(found(repliesAgree, { sent: [told, { ...changed, at: 1_056 }], ...withCreate({ timeline }) })).toHaveLength(
      1,
    )
  })

  it('see an attempt that settled a generation which was not its own', () => {
    const timeline = [...begun, { at: 1_060, what: 'accepted', generation: 2, changed: true }, ended]
    expect(found(repliesAgree, { sent: [], ...withCreate({ timeline }) })).toEqual([
      'generation 2 settled without an attempt of its own',
    ])
  })

  it('see a generation that settled twice, and one that nobody asked for', () => {
    expect(found(repliesAgree, { sent: [], ...withCreate({ timeline: [...begun, ended, ended] }) })).toEqual([
      'one generation settled twice',
    ])
    const unasked = [...begun, ended, { at: 1_300, what: 'resubmitted', generation: 2 }]
    const bulks = [{ at: 1_290, keys: [createKey] }]
    expect(found(repliesAgree, { sent: [], bulks, ...withCreate({ timeline: unasked }) })).toEqual([])
    expect(found(repliesAgree, { sent: [], ...withCreate({ timeline: unasked }) })).toEqual([
      'resubmitted, and nobody asked for it',
    ])
  })

  it('see calls of a stage that came in another order than its messages', () => {
    expect(orderIsKept({ ...good, dacs: [callAct, callCreate] })).toEqual([
      { what: expect.stringContaining('createProgramEvent 7 arrived after'), keys: [createKey, actKey] },
    ])
  })

  it('see that what an outage killed was refused as superseded, unless the target had answered a later one before', () => {
    const superseded = (bulkAt: number, state: string) => ({
      bulks: [{ at: bulkAt, keys: [createKey, actKey] }],
      messages: [
        recorded(createKey, { state: 'superseded', outcome: 'ERROR' }),
        { ...recordedAct, timeline: [{ at: 1_460, what: 'called', effect: 'act', state }] },
      ],
    })
    expect(found(resubmittedIsDone, superseded(1_400, 'unknown'))).toHaveLength(1)
    expect(found(resubmittedIsDone, superseded(1_400, 'confirmed'))).toHaveLength(1)
    expect(found(resubmittedIsDone, superseded(1_500, 'unknown'))).toHaveLength(1)
    expect(found(resubmittedIsDone, superseded(1_500, 'confirmed'))).toEqual([])
    expect(found(resubmittedIsDone, { ...superseded(1_400, 'unknown'), bulks: [] })).toEqual([])
  })

  it('let an older status of a stage follow a later one that nobody knows to be answered, and only then', () => {
    const act = (state: string) => [
      { at: 1_310, what: 'accepted', generation: 1 },
      { at: 1_460, what: 'called', effect: 'act', state },
    ]
    const anew = [...begun, { ...unknown, at: 1_150 }, { at: 1_500, what: 'resubmitted', generation: 2 }]
    const messages = (state: string, timeline: typeof anew) => ({
      messages: [recorded(createKey, { timeline }), { ...recordedAct, timeline: act(state) }],
      dacs: [callCreate, callAct, { ...callCreate, at: 1_600 }],
    })
    expect(found(orderIsKept, messages('unknown', anew))).toEqual([])
    expect(found(orderIsKept, messages('confirmed', anew))).toHaveLength(1)
    expect(found(orderIsKept, messages('refused', anew))).toHaveLength(1)
    expect(found(orderIsKept, messages('unknown', begun))).toHaveLength(1)
  })

  it('see syncs of a subscription in another order, and let those pass that were sent anew', () => {
    const sync = (n: number, more: object[] = []) =>
      recorded(`enrollment-sync.dacs.2000000000000${n}`, {
        flow: 'enrollment-sync',
        line: 'enrollment-sync.dacs.SUB-1',
        seq: n,
        payload: { sendDetails: { syncRequestId: `2000000000000${n}` } },
        timeline: [{ at: 1_000, what: 'accepted', generation: 1 }, ...(more as { at: number; what: string }[])],
      })
    const call = (n: number, at: number) => ({
      ...callCreate,
      operation: 'enroll',
      body: { dacsMessageId: `2000000000000${n}` },
      at,
    })
    const derms = [call(2, 1_100), call(1, 1_200)]
    expect(found(orderIsKept, { messages: [sync(1), sync(2)], derms })).toHaveLength(1)
    const anew = { at: 1_150, what: 'accepted', generation: 2 }
    expect(found(orderIsKept, { messages: [sync(1, [anew]), sync(2)], derms })).toEqual([])
  })

  it('see that nothing settled, that it settled too late, and a worker that takes nothing', () => {
    const { settledAt: _settled, ...never } = good.recovery
    expect(found(everythingRecovers, { recovery: never })).toEqual(['not settled, the bound is 30000 ms'])
    expect(found(everythingRecovers, { recovery: { ...never, settledAt: 33_000 } })).toEqual([
      'settled after 31000 ms, the bound is 30000 ms',
    ])
    expect(found(everythingRecovers, { recovery: { ...good.recovery, idle: ['events-2: stage-status'] } })).toEqual([
      'events-2: stage-status took no message after the faults',
    ])
  })
})
