import { examples } from '@tieline/contracts/examples'
import { msgAckDocument } from '@tieline/contracts/msg-ack'
import { after, never, TielineError } from '@tieline/runtime/error'
import {
  answer,
  type Ends,
  failed,
  fakeAttempt,
  fakeDeps,
  nowISO,
  nowMs,
  refused,
  scripted,
  withoutDetails,
} from '@tieline/testkit/fakes'
import { describe, expect, test } from 'vitest'
import { createEnrollmentRequest } from '../src/processors/enrollment-request.ts'
import { RecordsFailed } from '../src/record-answers.ts'
import { lookupsWith } from './lookups.ts'

const lookups = lookupsWith()
const enrolled = (enrollmentId: string) => answer({ enrollmentId, status: 'PENDING' })
const down = () => failed('target-unreachable')

/** Records that hold nothing but their ids; anything else is a record as it stands. */
const listOf = (...records: unknown[]) => ({
  params: records.map((record) => (typeof record === 'string' ? { messageId: record } : record)),
})

function start(payload: unknown, ...ends: Ends) {
  const dacs = scripted(...ends)
  const processor = createEnrollmentRequest(fakeDeps({ dacs: { enrollProgram: dacs.method } }))
  const fake = fakeAttempt('enrollment-request', payload)
  return {
    ...fake,
    processor,
    process: () => processor.process(fake.attempt, lookups),
    sent: () => dacs.calls.map(([body]) => (body as { transactionId: string }).transactionId),
  }
}

const responsesOf = (reply: { body: unknown } | undefined) =>
  msgAckDocument.parse(reply?.body).MsgAck.responses.response

const brief = (answers: readonly { id?: string | undefined; responseCode: string }[]) =>
  answers.map(({ id, responseCode }) => `${id} ${responseCode}`)

/** The answers that a failed attempt carries. */
async function failure(process: () => Promise<unknown>): Promise<RecordsFailed> {
  const error = await process().catch((error: unknown) => error)
  if (error instanceof RecordsFailed) return error
  throw new Error('The attempt did not fail for its records', { cause: error })
}

describe('an enrollment request', () => {
  test('that DACS accepts is answered with the new enrollment ids, which find it again', async () => {
    const run = start(examples['enrollment-request'], answer(examples['enrollment-request.dacs-answer']))
    const settlement = await run.process()
    const time = { whenISO: nowISO, responses: { response: [{ responseTimeISO: nowISO }] } }
    expect(settlement).toMatchObject({ state: 'succeeded', outcome: 'SUCCESS', terms: ['61938204477015'] })
    expect(settlement.reply).toMatchObject({ status: 200, body: { MsgAck: time } })
    expect(responsesOf(settlement.reply)).toEqual([
      { ...examples['enrollment-request.reply'].MsgAck.responses.response[0], responseTimeISO: nowISO },
    ])
    expect(run.pins).toEqual({ connection: 'DACS_A' })
  })

  test('that DACS refuses in part is an ERROR in its words, and nobody gets an e-mail', async () => {
    const farText = 'Validation failed: Program code UNKNOWN is not valid'
    const run = start(examples['enrollment-request.mixed'], enrolled('61938204477015'), refused({ farText }))
    const settlement = await run.process()
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'ERROR', code: 'target-refused' })
    expect(settlement.notices).toEqual([])
    const golden = examples['enrollment-request.reply-mixed'].MsgAck.responses.response
    expect(responsesOf(settlement.reply)).toEqual(golden.map((response) => ({ ...response, responseTimeISO: nowISO })))
  })

  test('has each bad record answered by itself, with its place and what is wrong, and the others sent', async () => {
    const secret = 'x'.repeat(300)
    const noId = { customerInfo: { name: 'Okafor' } }
    const tooLong = { messageId: 'B', customerInfo: { name: secret } }
    const run = start(listOf('A', noId, tooLong, 7, { messageId: { id: 5 } }, 'C'), enrolled('1'), enrolled('2'))
    const settlement = await run.process()
    expect(run.sent()).toEqual(['A', 'C'])
    expect(responsesOf(settlement.reply).map(({ id, responseCode, value }) => [id, responseCode, value])).toEqual([
      ['A', 'SUCCESS', '1'],
      ['', 'ERROR', 'params.1.messageId: expected string'],
      ['B', 'ERROR', 'params.2.customerInfo.name: at most 254 characters'],
      ['', 'ERROR', 'params.3: expected object'],
      ['', 'ERROR', 'params.4.messageId: expected string'],
      ['C', 'SUCCESS', '2'],
    ])
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'ERROR', code: 'contract-violation' })
    expect(settlement.notices).toMatchObject([
      {
        kind: 'error',
        code: 'contract-violation',
        summary: expect.stringMatching(/4 of 6 records break.*params\.2\.customerInfo\.name: .*and 1 more/),
      },
    ])
    expect(JSON.stringify(settlement.notices)).not.toMatch(/Okafor|xxx/)
  })

  test.each([
    ['an empty list', { params: [] }, 'params: must not be empty'],
    ['no list', {}, 'params: expected array'],
    ['no object', 'text', 'expected object'],
    ['a bad instance', { drmsInstanceId: {}, params: [{}] }, 'drmsInstanceId: expected string'],
  ])('with %s is an ERROR without a call, and the administrators are told', async (_, payload, rule) => {
    const run = start(payload)
    const error = await run.process().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'contract-violation', retry: never })
    const settlement = run.processor.giveUp(run.attempt, error as TielineError, lookups)
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'ERROR', code: 'contract-violation' })
    expect(settlement.notices).toMatchObject([{ kind: 'error', code: 'contract-violation' }])
    expect(responsesOf(settlement.reply)).toEqual([
      { id: '', responseCode: 'ERROR', value: `The message breaks its contract: ${rule}`, responseTimeISO: nowISO },
    ])
  })

  test('sends a record that comes twice once, and answers it twice', async () => {
    const run = start(listOf('A', 'B', 'A'), enrolled('1'), enrolled('2'))
    const settlement = await run.process()
    expect(run.sent()).toEqual(['A', 'B'])
    expect(responsesOf(settlement.reply).map(({ id, value }) => [id, value])).toEqual([
      ['A', '1'],
      ['B', '2'],
      ['A', '1'],
    ])
  })

  test('counts "I have it already" as success, which ends a doubt', async () => {
    const run = start(
      listOf('A'),
      failed('target-timeout', undefined, { outcome: 'unknown' }),
      refused({ farNumber: 10589 }),
    )
    await failure(run.process)
    const settlement = await run.process()
    expect(settlement).toMatchObject({ state: 'succeeded', outcome: 'SUCCESS' })
    expect(run.effects.get('enroll.A')?.state).toBe('confirmed')
    expect(responsesOf(settlement.reply)).toEqual([{ id: 'A', responseCode: 'SUCCESS', responseTimeISO: nowISO }])
  })

  test('is tried again for the records without an answer only', async () => {
    const run = start(
      listOf('A', 'B', 'C', 'D'),
      enrolled('1'),
      failed('target-error', 503),
      refused(),
      enrolled('4'),
      enrolled('2'),
    )
    expect(brief((await failure(run.process)).answers)).toEqual(['A SUCCESS', 'B FAILURE', 'C ERROR', 'D SUCCESS'])
    const settlement = await run.process()
    expect(run.sent()).toEqual(['A', 'B', 'C', 'D', 'B'])
    expect(brief(responsesOf(settlement.reply))).toEqual(['A SUCCESS', 'B SUCCESS', 'C ERROR', 'D SUCCESS'])
    expect(settlement.outcome).toBe('ERROR')
  })

  test('makes no further call in the attempt after two failures of the connection in a row', async () => {
    const run = start(listOf('A', 'B', 'C', 'D', 'E'), down(), enrolled('2'), down(), failed('target-timeout'))
    const { answers } = await failure(run.process)
    expect(run.sent()).toEqual(['A', 'B', 'C', 'D'])
    expect(brief(answers)).toEqual(['A FAILURE', 'B SUCCESS', 'C FAILURE', 'D FAILURE', 'E FAILURE'])
  })

  test('goes on after failures that may lie with the record', async () => {
    const broken = failed('target-error', 500)
    const run = start(listOf('A', 'B', 'C', 'D'), broken, broken, broken, enrolled('4'))
    expect(brief((await failure(run.process)).answers)).toContain('D SUCCESS')
  })

  test.each([
    ['the schedule when one failure goes by it', [failed('target-error', 500, { retry: after(9) }), down()], 'backoff'],
    [
      'the shortest wait',
      [refused({ retry: after(9), outcome: 'failed' }), failed('connection-paused', undefined, { retry: after(5) })],
      'after',
    ],
    ['never when no failure allows it', [failed('outcome-unknown', 400, { retry: never }), enrolled('2')], 'never'],
  ])('is tried again by %s', async (_, ends, kind) => {
    const { retry } = await failure(start(listOf('A', 'B'), ...ends).process)
    expect(retry).toMatchObject(kind === 'after' ? { kind, delayMs: 5 } : { kind })
  })

  test('that runs out of tries is a FAILURE with what was done, and one e-mail without any value', async () => {
    const run = start(
      listOf('A', 'B', 'C'),
      enrolled('1'),
      failed('target-error', 503, { farText: 'marked' }),
      refused({ farText: 'marked' }),
    )
    const error = await failure(run.process)
    const settlement = run.processor.giveUp(run.attempt, error, lookups)
    expect(settlement).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: 'target-error', terms: ['1'] })
    expect(brief(responsesOf(settlement.reply))).toEqual(['A SUCCESS', 'B FAILURE', 'C ERROR'])
    expect(settlement.notices).toEqual([
      {
        kind: 'error',
        flow: 'enrollment-request',
        messageKey: 'enrollment-request.SITE1.1',
        code: 'target-error',
        summary: 'Enrollment request: DACS_A: call met target-error.',
        connection: 'DACS_A',
        httpStatus: 503,
        attempts: 1,
        occurredAt: new Date(nowMs).toISOString(),
        next: expect.stringContaining('DERMS is told FAILURE and sends it again'),
        rerun: 'dead resubmit',
        // Goes no further unless the installation wants it.
        details: 'marked',
      },
    ])
    expect(JSON.stringify([error, settlement.notices], withoutDetails)).not.toContain('marked')
  })

  test('without a connection is an ERROR for every record, names the row, and sends an e-mail', async () => {
    const processor = createEnrollmentRequest(fakeDeps({ kinds: { A: { kind: 'dacs' }, B: { kind: 'dacs' } } }))
    const { attempt } = fakeAttempt('enrollment-request', { drmsInstanceId: 'SITE9', ...listOf('A', 'B') })
    const error = await processor.process(attempt, lookups).catch((error: unknown) => error)
    const settlement = processor.giveUp(attempt, error as TielineError, lookups)
    expect(settlement).toMatchObject({ state: 'refused', outcome: 'ERROR', code: 'routing-missing' })
    expect(brief(responsesOf(settlement.reply))).toEqual(['A ERROR', 'B ERROR'])
    expect(responsesOf(settlement.reply)[0]?.value).toContain('no row for DRMS_Instance "SITE9"')
    expect(settlement.notices).toHaveLength(1)
  })

  test('goes to the connection of its instance', async () => {
    const row = { DRMS_Instance: 'SITE2', DRMS_Site_Connection: '', DACS_CIS_Division: '', DACS_Connection: 'B' }
    const dacs = scripted(enrolled('1'))
    const kinds = { A: { kind: 'dacs' }, B: { kind: 'dacs' } }
    const processor = createEnrollmentRequest(fakeDeps({ kinds, dacs: { enrollProgram: dacs.method } }))
    const { attempt, pins } = fakeAttempt('enrollment-request', { drmsInstanceId: 'SITE2', ...listOf('A') })
    await processor.process(attempt, lookupsWith({ Routing: [row] }))
    expect(pins).toEqual({ connection: 'B' })
  })

  test('that met an error of Tieline itself is a FAILURE for every record', () => {
    const run = start(listOf('A', 'B'))
    const error = new TielineError('internal', { kind: 'backoff' }, 'Unexpected error')
    const settlement = run.processor.giveUp(run.attempt, error, lookups)
    expect(settlement).toMatchObject({ state: 'dead', outcome: 'FAILURE', code: 'internal' })
    expect(brief(responsesOf(settlement.reply))).toEqual(['A FAILURE', 'B FAILURE'])
  })

  test('that lost its message stops at once', async () => {
    const run = start(listOf('A', 'B'), enrolled('1'), enrolled('2'))
    run.attempt.call = () => Promise.reject(new Error('The attempt lost its message'))
    await expect(run.process()).rejects.toThrow('lost its message')
    expect(run.sent()).toEqual([])
  })
})
