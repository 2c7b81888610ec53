import type { FailureCode } from '@tieline/contracts/failures'
import { flowSpec } from '@tieline/contracts/flows'
import { type MsgAck, type MsgAckForm, renderMsgAck } from '@tieline/contracts/msg-ack'
import type { Notice } from '@tieline/contracts/notice'
import { oicFault } from '@tieline/contracts/oic-fault'
import type { Attempt, Reply } from '@tieline/journal/types'
import { CallError, type TielineError } from '@tieline/runtime/error'

/** DERMS reads the result in the body; the HTTP status only says that there is one. */
export const msgAckReply = (ack: MsgAck, form: MsgAckForm): Reply => ({
  status: 200,
  body: renderMsgAck(ack, form),
})

interface NoticeFacts {
  readonly attempt: Pick<Attempt, 'flow' | 'key' | 'number'>
  readonly error: TielineError
  /** What happens next, and who sends again. */
  readonly next: string
  readonly nowMs: number
}

/** The e-mail about a message that did not succeed: codes and names only, never a value of the message. */
export const errorNotice = ({ attempt, error, next, nowMs }: NoticeFacts): Notice => ({
  kind: 'error',
  flow: attempt.flow,
  messageKey: attempt.key,
  code: error.code,
  summary: `${flowSpec(attempt.flow).title}: ${error.message}.`,
  ...(error instanceof CallError && { connection: error.connection }),
  ...(error instanceof CallError && error.status !== undefined && { httpStatus: error.status }),
  attempts: attempt.number,
  occurredAt: new Date(nowMs).toISOString(),
  next,
})

/** The fault that DACS gets for a message that DERMS did not take; DACS owns the repeat. */
export const faultReply = (attempt: Pick<Attempt, 'flow'>, error: TielineError): Reply => ({
  status: 500,
  body: oicFault({
    status: 500,
    detail: error.message,
    instance: attempt.flow,
    errorCode: error instanceof CallError ? 'APIInvocationError' : error.code,
    ...(error instanceof CallError && { cause: error.status === undefined ? error.code : `HTTP ${error.status}` }),
  }),
})

/** How a message ends that did not succeed. */
export interface End {
  readonly state: 'refused' | 'dead'
  readonly outcome: 'ERROR' | 'FAILURE'
}

/** The same message would meet the same end again, until somebody mends the data or a lookup. */
const refusals: ReadonlySet<FailureCode> = new Set([
  'contract-violation',
  'lookup-missing',
  'routing-missing',
  'target-refused',
  'superseded',
  'not-allowed',
])

/** ERROR is a business refusal that nobody repeats, FAILURE is technical and its sender sends again. */
export const endOf = ({ code }: TielineError): End =>
  refusals.has(code) ? { state: 'refused', outcome: 'ERROR' } : { state: 'dead', outcome: 'FAILURE' }

/** What the e-mail says about the time after the end. */
export const nextStep = (outcome: End['outcome'], sender: 'DERMS' | 'DACS'): string =>
  outcome === 'FAILURE'
    ? `${sender} sends the message again.`
    : `Nothing is sent again by itself: mend the cause, then have ${sender} send the message again, or rerun it.`
