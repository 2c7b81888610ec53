import { flowSpec } from '@tieline/contracts/flows'
import { type MsgAck, renderMsgAck } from '@tieline/contracts/msg-ack'
import type { Notice } from '@tieline/contracts/notice'
import { oicFault } from '@tieline/contracts/oic-fault'
import type { Attempt, Reply } from '@tieline/journal/types'
import { CallError, type TielineError } from '@tieline/runtime/error'

/** DERMS reads the result in the body; the HTTP status only says that there is one. */
export const msgAckReply = (ack: MsgAck, compat: { readonly msgAckWrapper: boolean }): Reply => ({
  status: 200,
  body: renderMsgAck(ack, compat),
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
