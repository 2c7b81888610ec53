import { examples } from '@tieline/contracts/examples'
import { readMsgAck } from '@tieline/contracts/msg-ack'
import { backoff, CallError, never, TielineError } from '@tieline/runtime/error'
import { parseInstallation } from '@tieline/runtime/installation'
import { fakeAttempt, withoutDetails } from '@tieline/testkit/fakes'
import { expect, test } from 'vitest'
import { createStageStatusProcessor } from '../src/processors/stage-status.ts'
import { minimalInstallation } from './installation.ts'
import { tablesWith } from './tables.ts'

const nowMs = Date.parse('2024-09-01T17:00:02.345Z')
const connections = { kinds: {}, dacs: unused, derms: unused, [Symbol.asyncDispose]: unused }

function unused(): never {
  throw new Error('giving up makes no calls')
}

function giveUp(error: TielineError, payload: unknown = examples['stage-status'], compat = '', afterMs = 0) {
  const installation = parseInstallation(`${minimalInstallation('http://127.0.0.1:9')}\n${compat}`, {}, '/')
  const processor = createStageStatusProcessor({ connections, installation, clock: () => nowMs, openReader: unused })
  const { attempt } = fakeAttempt('stage-status', payload)
  return processor.giveUp(
    { ...attempt, acceptedAt: nowMs - afterMs, key: 'stage-status.SITE1.STG-1315-1', id: 'STG-1315-1', number: 3 },
    error,
    tablesWith(),
  )
}

const callError = (code: 'target-refused' | 'target-error' | 'target-unauthorized' | 'outcome-unknown') =>
  new CallError({
    code,
    retry: code === 'target-error' ? backoff : never,
    outcome: code === 'target-refused' ? 'refused' : 'unknown',
    connection: 'DACS_MAIN',
    message: `DACS_MAIN: createProgramEvent answered badly`,
    status: 400,
    durationMs: 5,
    farText: 'Program BYOT-SUMMER of Reyes is not valid',
  })

test.each([
  new TielineError('contract-violation', never, 'The message breaks its contract: stageId must not be empty'),
  new TielineError('lookup-missing', never, 'StageStatus has no row for "PLANNED"'),
  new TielineError('routing-missing', never, 'Routing has no row'),
  new TielineError('superseded', never, 'The target has already answered a later message of the same line'),
  callError('target-refused'),
])('$code is answered ERROR, because a repeat would end the same way', (error) => {
  expect(giveUp(error)).toMatchObject({ state: 'refused', outcome: 'ERROR', code: error.code })
})

test.each([
  callError('target-error'),
  callError('target-unauthorized'),
  callError('outcome-unknown'),
  new TielineError('internal', backoff, 'Unexpected error'),
])('$code is answered FAILURE and becomes a dead letter', (error) => {
  expect(giveUp(error)).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: error.code })
})

test('a missing row is answered as the golden example says', () => {
  const payload = { ...examples['stage-status'], messageId: 'STG-1315-0', stageStatus: 'PLANNED' }
  const { reply } = giveUp(new TielineError('lookup-missing', never, 'StageStatus has no row for "PLANNED"'), payload)
  expect(reply).toEqual({ status: 200, body: examples['stage-status.refused-reply'] })
})

test("DACS' own words go into the reply, and into details that are kept only where they are wanted", () => {
  const { reply, ...rest } = giveUp(callError('target-refused'))
  expect(readMsgAck(reply?.body)?.responses).toMatchObject([
    { id: 'STG-1315-1', value: 'Program BYOT-SUMMER of Reyes is not valid', responseCode: 'ERROR' },
  ])
  expect(JSON.stringify(rest, withoutDetails)).not.toContain('Reyes')
})

test('the e-mail says what failed, where, how often and who repeats it', () => {
  expect(giveUp(callError('target-error')).notices).toEqual([
    {
      kind: 'error',
      flow: 'stage-status',
      messageKey: 'stage-status.SITE1.STG-1315-1',
      code: 'target-error',
      summary: 'Program event (stage) status: DACS_MAIN: createProgramEvent answered badly.',
      connection: 'DACS_MAIN',
      httpStatus: 400,
      attempts: 3,
      occurredAt: '2024-09-01T17:00:02.345Z',
      next: expect.stringMatching(/^DERMS is told FAILURE and sends it again, as often as/),
      rerun: 'dead resubmit',
      details: 'Program BYOT-SUMMER of Reyes is not valid',
    },
  ])
})

test('the e-mail of what ends long after its caller was answered says that nobody may come again', () => {
  const late = 6 * 3_600_000
  expect(giveUp(callError('target-error'), undefined, '', late).notices).toMatchObject([
    {
      next: 'Tieline has stopped trying. DERMS was told FAILURE (in progress) meanwhile and may not ask again: mend the cause, then run it again.',
    },
  ])
})

test.each([null, [], 'text', {}, { messageId: '' }, { messageId: { a: 1 } }])(
  'a payload without a message id is answered too: %j',
  (payload) => {
    const error = new TielineError('contract-violation', never, 'The message breaks its contract')
    const ack = readMsgAck(giveUp(error, payload).reply?.body)
    expect(ack?.ackType).toBe('ERROR')
    expect(ack?.responses[0]).not.toHaveProperty('id')
  },
)

test('the wrapper of acknowledgments can be switched off', () => {
  const { reply } = giveUp(callError('target-error'), undefined, 'compat: { msgAckWrapper: false }')
  expect(reply?.body).toMatchObject({ ackType: 'FAILURE' })
})
