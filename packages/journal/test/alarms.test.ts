import { flowIds, flowSpec } from '@tieline/contracts/flows'
import { after, backoff, CallError, never } from '@tieline/runtime/error'
import { describe, expect, it } from 'vitest'
import { alarmOf, type Failing, nextAttemptAt } from '../src/kernel/alarms.ts'

const startMs = Date.UTC(2026, 2, 1, 2)

const failing = (afterS: number, more: Partial<Failing> = {}): Failing => ({
  attempt: { flow: 'stage-status', key: 'stage-status.SITE1.1', number: 3 },
  error: failure('target-error', 503),
  spec: flowSpec('stage-status'),
  failedSince: startMs,
  told: { alarmed: false, denied: false },
  now: startMs + afterS * 1_000,
  ...more,
})

const failure = (code: CallError['code'], status: number, retry = backoff) =>
  new CallError({
    code,
    retry,
    outcome: 'unknown',
    connection: 'DACS_MAIN',
    message: `DACS_MAIN: createProgramEvent answered ${status}`,
    durationMs: 1,
    status,
    farText: 'Try later, Reyes',
  })

const inS = (at: number | undefined) => (at === undefined ? undefined : (at - startMs) / 1_000)
const told = (given: Failing) => alarmOf(given, nextAttemptAt(given, 9) ?? 0)

it('every flow is alarmed by its catalogue, but that of the mails themselves', () => {
  expect(Object.fromEntries(flowIds.map((id) => [flowSpec(id).code, flowSpec(id).retry.alarmAfterS]))).toEqual({
    F1: 60,
    F2: 60,
    F3: 900,
    F4: 60,
    F5: 60,
    F6: 60,
    F7: 60,
    F8: 900,
    F9: 60,
    F10: undefined,
    ACK: 900,
  })
})

describe('an alarm', () => {
  it('comes at its time: an attempt that would be made later is made then', () => {
    const early = failing(31)
    expect(inS(nextAttemptAt(early, 6))).toBe(60)
    expect(told(early)).toBeUndefined()
    expect(inS(nextAttemptAt(failing(1), 0))).toBeLessThanOrEqual(2)
    expect(told(failing(60))).toMatchObject({ mark: 'alarmed' })
  })

  it('says since when, what, when it is tried again and until when, and is told once', () => {
    const due = failing(61)
    expect(alarmOf(due, startMs + 100_000)?.notice).toEqual({
      kind: 'error',
      flow: 'stage-status',
      messageKey: 'stage-status.SITE1.1',
      code: 'still-failing',
      cause: 'target-error',
      summary:
        'Program event (stage) status has been failing for 1 minute: DACS_MAIN: createProgramEvent answered 503.',
      connection: 'DACS_MAIN',
      httpStatus: 503,
      details: 'Try later, Reyes',
      attempts: 3,
      occurredAt: '2026-03-01T02:01:01.000Z',
      trying: { again: '2026-03-01T02:01:40.000Z', until: '2026-03-01T08:00:00.000Z' },
      next: expect.stringContaining('Tieline goes on trying'),
    })
    expect(alarmOf({ ...due, told: { alarmed: true, denied: false } }, startMs + 100_000)).toBeUndefined()
    expect(inS(nextAttemptAt({ ...failing(31), told: { alarmed: true, denied: false } }, 9))).toBeGreaterThan(61)
  })

  it.each([
    ['target-unauthorized', 401],
    ['target-forbidden', 403],
  ] as const)('of %s comes at once, and the other one all the same', (code, status) => {
    const denied = failing(0, { error: failure(code, status) })
    expect(told(denied)).toMatchObject({ mark: 'denied', notice: { code, httpStatus: status } })
    expect(told({ ...denied, told: { alarmed: false, denied: true } })).toBeUndefined()
    expect(told(failing(60, { told: { alarmed: false, denied: true } }))).toMatchObject({ mark: 'alarmed' })
    expect(told(failing(900, { error: denied.error, told: { alarmed: true, denied: false } }))).toMatchObject({
      mark: 'denied',
    })
  })

  it('does not wait for a target that wants to be left alone for longer than twice its time', () => {
    const busy = (s: number) => failing(0, { error: failure('target-error', 503, after(s * 1_000)) })
    expect(told(busy(120))).toBeUndefined()
    expect(told(busy(121))).toMatchObject({
      mark: 'alarmed',
      notice: { trying: { again: '2026-03-01T02:02:01.000Z' } },
    })
    expect(inS(nextAttemptAt(busy(90), 0))).toBe(90)
  })

  it('is never raised about an e-mail', () => {
    const spec = flowSpec('notification')
    for (const error of [failure('target-unauthorized', 401), failure('target-error', 503)]) {
      expect(told(failing(3_600, { error, spec }))).toBeUndefined()
    }
  })
})

it('no attempt follows the time of trying, nor an error that forbids it', () => {
  expect(nextAttemptAt(failing(21_590), 9)).toBeUndefined()
  expect(nextAttemptAt(failing(0, { error: failure('target-refused', 400, never) }), 0)).toBeUndefined()
})
