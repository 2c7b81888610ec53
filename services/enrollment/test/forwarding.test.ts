import { examples } from '@tieline/contracts/examples'
import type { TielineError } from '@tieline/runtime/error'
import {
  answer,
  type Ends,
  failed,
  fakeAttempt,
  fakeDeps,
  refused,
  scripted,
  withoutDetails,
} from '@tieline/testkit/fakes'
import { describe, expect, test } from 'vitest'
import { createDeviceStatusCheck } from '../src/processors/device-status-check.ts'
import { createEnrollmentSync } from '../src/processors/enrollment-sync.ts'
import { lookupsWith } from './lookups.ts'

const lookups = lookupsWith()
const flows = [
  ['enrollment-sync', 'enroll', createEnrollmentSync],
  ['device-status-check', 'statusCheck', createDeviceStatusCheck],
] as const

describe.each(flows)('%s', (flow, operation, create) => {
  const start = (...ends: Ends) => {
    const derms = scripted(...ends)
    const processor = create(fakeDeps({ derms: { [operation]: derms.method } }))
    return { ...fakeAttempt(flow, examples[flow]), processor, calls: derms.calls }
  }

  test("hands DACS' golden message to DERMS and gives the id back", async () => {
    const { attempt, notes, processor, calls } = start(answer({ MsgAck: { ackType: 'SUCCESS' } }))
    const settlement = await processor.process(attempt, lookups)
    expect(calls).toEqual([[examples[`${flow}.to-derms`]]])
    const reply = { status: 200, body: examples[`${flow}.reply`] }
    expect(settlement).toEqual({ state: 'succeeded', outcome: 'SUCCESS', reply })
    expect(notes).toEqual([])
  })

  test.each(['ERROR', 'FAILURE'])(
    'succeeds when the body of a 200 says %s, but the time line shows it',
    async (ackType) => {
      const { attempt, notes, processor } = start(answer({ ackType }))
      expect((await processor.process(attempt, lookups)).state).toBe('succeeded')
      expect(notes).toEqual([{ what: 'answer', connection: 'DERMS_A', ackType }])
    },
  )

  test('does not call again what DERMS has confirmed', async () => {
    const { attempt, processor, calls } = start(answer())
    await processor.process(attempt, lookups)
    await processor.process(attempt, lookups)
    expect(calls).toHaveLength(1)
  })

  test.each([
    [
      'a refusal',
      refused({ farText: 'marked' }),
      'refused',
      'ERROR',
      'target-refused',
      'Sending it again helps only when the cause is mended',
    ],
    [
      'an outage',
      failed('target-error', 503, { farText: 'marked' }),
      'dead',
      'FAILURE',
      'target-error',
      'and sends it again, if its own settings say so',
    ],
  ])('ends %s with a fault and an e-mail', async (_, end, state, outcome, code, next) => {
    const { attempt, processor } = start(end)
    const error = await processor.process(attempt, lookups).catch((error: unknown) => error as TielineError)
    const settlement = processor.giveUp(attempt, error as TielineError, lookups)
    expect(settlement).toMatchObject({ state, outcome, code, reply: { status: 500 } })
    expect(settlement.notices).toMatchObject([{ code, httpStatus: end.status }])
    expect(settlement.notices?.[0]?.next).toContain(next)
    expect(JSON.stringify({ ...settlement, reply: undefined }, withoutDetails)).not.toContain('marked')
    expect(settlement.reply?.body).toMatchObject({ detail: expect.stringMatching(/: marked$/) })
  })

  test('goes to the connection of its division', async () => {
    const row = { DRMS_Instance: '', DRMS_Site_Connection: 'B', DACS_CIS_Division: 'CA', DACS_Connection: '' }
    const kinds = { A: { kind: 'derms' }, B: { kind: 'derms' } }
    const derms = scripted(answer())
    const { attempt, pins } = fakeAttempt(flow, examples[flow])
    await create(fakeDeps({ kinds, derms: { [operation]: derms.method } })).process(
      attempt,
      lookupsWith({ Routing: [row] }),
    )
    expect(pins).toEqual({ connection: 'B' })
  })

  test('that has no connection or breaks its contract does not call', async () => {
    const processor = create(fakeDeps({ kinds: {} }))
    const lost = fakeAttempt(flow, examples[flow]).attempt
    await expect(processor.process(lost, lookups)).rejects.toMatchObject({ code: 'routing-missing' })
    const broken = fakeAttempt(flow, { sendDetails: {} }).attempt
    await expect(processor.process(broken, lookups)).rejects.toMatchObject({ code: 'contract-violation' })
  })
})

test('an enrollment sync with an unknown device status is a fault that names the missing row', async () => {
  const processor = createEnrollmentSync(fakeDeps())
  const { attempt } = fakeAttempt('enrollment-sync', examples['enrollment-sync'])
  const none = lookupsWith({ DeviceLocationStatus: [] })
  const error = await processor.process(attempt, none).catch((error: unknown) => error as TielineError)
  const settlement = processor.giveUp(attempt, error as TielineError, none)
  expect(settlement).toMatchObject({
    state: 'refused',
    outcome: 'ERROR',
    code: 'lookup-missing',
    reply: { status: 500, body: { detail: 'DeviceLocationStatus has no row for "D1YS"' } },
  })
})
