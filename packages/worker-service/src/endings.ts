import type { FailureCode } from '@tieline/contracts/failures'
import { type FlowId, flowSpec } from '@tieline/contracts/flows'
import { type MsgAck, type MsgAckForm, renderMsgAck } from '@tieline/contracts/msg-ack'
import type { Notice } from '@tieline/contracts/notice'
import { oicFault } from '@tieline/contracts/oic-fault'
import { callFacts } from '@tieline/journal/kernel/last-words'
import type { Attempt, Reply } from '@tieline/journal/types'
import { callOf, type TielineError } from '@tieline/runtime/error'
import { effectiveFlow, type Installation } from '@tieline/runtime/installation'

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
  /** How the message ends; absent when its e-mail is about a part of it. */
  readonly state?: End['state']
  readonly nowMs: number
}

/**
 * The e-mail about a message that did not succeed: codes and names only, never a value of the message. Whether the far side's
 * words go with it is up to the installation.
 */
export const errorNotice = ({ attempt, error, next, state, nowMs }: NoticeFacts): Notice => ({
  kind: 'error',
  flow: attempt.flow,
  messageKey: attempt.key,
  code: error.code,
  summary: `${flowSpec(attempt.flow).title}: ${error.message}.`,
  ...callFacts(error),
  attempts: attempt.number,
  occurredAt: new Date(nowMs).toISOString(),
  next,
  ...(state !== undefined && { rerun: state === 'dead' ? 'dead resubmit' : 'messages rerun' }),
})

/** The fault that DACS gets for a message that DERMS did not take, with DERMS' words; DACS owns the repeat. */
export function faultReply(attempt: Pick<Attempt, 'flow'>, error: TielineError): Reply {
  const call = callOf(error)
  const detail = call?.farText === undefined ? error.message : `${error.message}: ${call.farText}`
  const fault = { status: 500, detail, instance: attempt.flow }
  if (call === undefined) return { status: 500, body: oicFault({ ...fault, errorCode: error.code }) }
  const cause = call.status === undefined ? call.code : `HTTP ${call.status}`
  return { status: 500, body: oicFault({ ...fault, errorCode: 'APIInvocationError', cause }) }
}

/**
 * What DERMS reads in `value`: the far side's own words help its operators most; they go nowhere else. Where they do not answer
 * the call itself, as those of a token endpoint, or do not say that its outcome is unknown, they stand behind ours.
 */
export function wordsForSender(error: TielineError): string {
  const call = callOf(error)
  if (call?.farText === undefined) return error.message
  const saysAll = call.status !== undefined && call.code !== 'outcome-unknown'
  return saysAll ? call.farText : `${error.message}: ${call.farText}`
}

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

interface EndFacts {
  readonly attempt: Pick<Attempt, 'flow' | 'key' | 'number' | 'acceptedAt'>
  readonly error: TielineError
  readonly end: End
  readonly installation: Pick<Installation, 'flows'>
  readonly nowMs: number
}

/** The e-mail about the bad end of a message whose caller waits for its reply. */
export function endNotice({ attempt, error, end, installation, nowMs }: EndFacts): Notice {
  const { replyWithinS } = effectiveFlow(attempt.flow, installation)
  const isLate = nowMs - attempt.acceptedAt >= replyWithinS * 1_000
  const next = error.code === 'superseded' ? overtaken : nextStep(attempt.flow, error.code, end.outcome, isLate)
  return errorNotice({ attempt, error, next, state: end.state, nowMs })
}

const overtaken =
  'It was not sent. Nothing has to be done, unless it was the right one: then run it again with --force, or have it sent under a new id.'

/** What the sender was told, and who sends again. Late is what ends after the sender was told that it is in progress. */
function nextStep(flow: FlowId, code: FailureCode, outcome: End['outcome'], isLate: boolean): string {
  const { caller, replyShape } = flowSpec(flow)
  const [told, before, repeats] =
    replyShape === 'msgAck'
      ? [`is told ${outcome}`, 'was told FAILURE (in progress)', 'as often as its MAX_RETRIES allows']
      : ['gets a fault (HTTP 500)', 'got a fault (HTTP 503, in progress)', 'if its own settings say so']
  if (code === 'contract-violation')
    return `${caller} ${told}. Nobody mends it by itself: have it corrected and sent anew.`
  const first = code === 'outcome-unknown' ? 'Look first whether the target has it. ' : ''
  if (isLate)
    return `${first}Tieline has stopped trying. ${caller} ${before} meanwhile and may not ask again: mend the cause, then run it again.`
  return outcome === 'FAILURE'
    ? `${first}${caller} ${told} and sends it again, ${repeats}. You can also run it again yourself.`
    : `${caller} ${told}. Sending it again helps only when the cause is mended: then run it again, or have ${caller} send it anew.`
}
