import { describe, expect, it } from 'vitest'
import { classify, classifyTokenFailure } from '../src/classify.ts'
import type { Exchanged } from '../src/exchange.ts'

type Row = readonly [exchanged: Exchanged, code: string, retry: object, outcome: string]

const now = Date.parse('2026-01-01T00:00:00Z')
const answer = (status: number, retryAfter?: string): Exchanged => ({ kind: 'answer', status, retryAfter, body: {} })
const broken = (reason: 'timeout' | 'stopped' | 'network', sent: boolean, errorCode?: string): Exchanged => ({
  kind: 'broken',
  reason,
  sent,
  errorCode,
})

const never = { kind: 'never' }
const backoff = { kind: 'backoff' }
const after = (delayMs: number) => ({ kind: 'after', delayMs })

describe('the verdict on a call', () => {
  it.each([200, 201, 204])('takes %i for success', (status) => {
    expect(classify(answer(status))).toEqual({ ok: true, status, body: {} })
  })

  it.each<Row>([
    [answer(400), 'target-refused', never, 'refused'],
    [answer(400, '5'), 'target-refused', never, 'refused'],
    [answer(401), 'target-unauthorized', backoff, 'failed'],
    [answer(403), 'target-forbidden', backoff, 'failed'],
    [answer(404), 'target-not-found', backoff, 'failed'],
    [answer(429), 'target-throttled', backoff, 'failed'],
    [answer(429, '7'), 'target-throttled', after(7_000), 'failed'],
    [answer(429, 'Thu, 01 Jan 2026 00:00:09 GMT'), 'target-throttled', after(9_000), 'failed'],
    [answer(429, 'Wed, 31 Dec 2025 23:59:59 GMT'), 'target-throttled', backoff, 'failed'],
    [answer(429, '0'), 'target-throttled', backoff, 'failed'],
    [answer(429, '86400'), 'target-throttled', after(900_000), 'failed'],
    [answer(429, 'soon'), 'target-throttled', backoff, 'failed'],
    [answer(503), 'target-error', backoff, 'unknown'],
    [answer(503, '3'), 'target-error', after(3_000), 'unknown'],
    [answer(500, '3'), 'target-error', backoff, 'unknown'],
    ...[202, 203, 206, 301, 302, 304, 307, 308, 402, 405, 409, 410, 413, 422, 500, 502, 504].map(
      (status): Row => [answer(status), 'target-error', backoff, 'unknown'],
    ),
    [{ kind: 'oversize', status: 200, retryAfter: undefined }, 'target-answer-invalid', backoff, 'unknown'],
    [{ kind: 'oversize', status: 400, retryAfter: undefined }, 'target-refused', never, 'refused'],
    [{ kind: 'oversize', status: 500, retryAfter: undefined }, 'target-error', backoff, 'unknown'],
    [broken('network', false, 'ENOTFOUND'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false, 'EAI_AGAIN'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false, 'ECONNREFUSED'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false, 'EHOSTUNREACH'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false, 'ECONNRESET'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false, 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'target-unreachable', backoff, 'failed'],
    [broken('network', false), 'target-unreachable', backoff, 'failed'],
    [broken('network', true, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'target-unreachable', backoff, 'failed'],
    [broken('network', true, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'target-unreachable', backoff, 'failed'],
    [broken('network', true, 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE'), 'target-unreachable', backoff, 'failed'],
    [broken('network', true, 'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC'), 'target-reset', backoff, 'unknown'],
    [broken('network', true, 'ECONNRESET'), 'target-reset', backoff, 'unknown'],
    [broken('network', true, 'EPIPE'), 'target-reset', backoff, 'unknown'],
    [broken('network', true, 'HPE_INVALID_CONSTANT'), 'target-reset', backoff, 'unknown'],
    [broken('network', true), 'target-reset', backoff, 'unknown'],
    [broken('timeout', false), 'target-unreachable', backoff, 'failed'],
    [broken('timeout', true), 'target-timeout', backoff, 'unknown'],
    [broken('stopped', false), 'target-reset', backoff, 'failed'],
    [broken('stopped', true), 'target-reset', backoff, 'unknown'],
  ])('of %j is %s, %j, %s', (exchanged, code, retry, outcome) => {
    expect(classify(exchanged, undefined, now)).toMatchObject({ ok: false, verdict: { code, retry, outcome } })
  })

  it('takes other statuses for success where an operation says so', () => {
    expect(classify(answer(203), new Set([200, 203]))).toMatchObject({ ok: true, status: 203 })
  })
})

describe('the verdict on a token endpoint', () => {
  it.each([
    [answer(400), 'target-unauthorized', backoff],
    [answer(401), 'target-unauthorized', backoff],
    [answer(403), 'target-unauthorized', backoff],
    [answer(429, '2'), 'target-throttled', after(2_000)],
    [answer(200), 'target-unreachable', backoff],
    [answer(302), 'target-unreachable', backoff],
    [answer(500), 'target-unreachable', backoff],
    [broken('network', true, 'ECONNRESET'), 'target-unreachable', backoff],
    [broken('timeout', true), 'target-unreachable', backoff],
  ])('of %j is %s, %j, and the call was certainly not made', (exchanged, code, retry) => {
    expect(classifyTokenFailure(exchanged, now)).toMatchObject({ code, retry, outcome: 'failed' })
  })
})
