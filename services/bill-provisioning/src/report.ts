import { TielineError } from '@tieline/runtime/error'
import type { Logger } from '@tieline/runtime/logger'
import { BillFailure } from './bill-failure.ts'
import type { BillMetrics } from './metrics.ts'

/** A request that has been answered. */
export interface Answered {
  readonly requestId: string
  /** Undefined: a path that is not ours. */
  readonly operation: string | undefined
  readonly status: number
  /** Of a bill, sent. */
  readonly bytes?: number
  /** From the request to the first byte of a bill. */
  readonly firstByteMs?: number | undefined
  /** Why a bill was not sent, or not wholly. */
  readonly error?: unknown
  readonly ms: number
}

export type Report = (answered: Answered) => void

/** Codes of what only the utility can mend, by replacing a bill. */
const alarms: readonly string[] = ['bill-not-pdf', 'bill-too-large']

/**
 * One log line and the counts of each request. The id of a bill leads to a customer, so neither holds one, nor a path, in which
 * one may stand.
 */
export function createReport(logger: Logger, metrics: BillMetrics): Report {
  return ({ requestId, operation = 'other', status, bytes, firstByteMs, error, ms }) => {
    const code = error === undefined ? undefined : codeOf(error)
    const broken = code === 'caller-gone' || (code !== undefined && status === 200)
    metrics.answered({ operation, status: broken ? 'broken' : status })
    if (operation === 'download') metrics.downloaded({ bytes: bytes ?? 0, ms, firstByteMs, code })

    const line = { requestId, operation, status, bytes, code, firstByteMs: whole(firstByteMs), ms: whole(ms) }
    const text = `${operation} ${status}${broken ? ', broken off' : ''}`
    if (operation === 'healthcheck') logger.debug(line, text)
    else if (code === undefined || code === 'caller-gone') logger.info(line, text)
    else logger[alarms.includes(code) ? 'error' : 'warn']({ ...line, err: error }, text)
  }
}

const whole = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms))

function codeOf(error: unknown): string {
  return error instanceof TielineError || error instanceof BillFailure ? error.code : 'internal'
}
