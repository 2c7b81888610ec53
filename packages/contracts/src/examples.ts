import deviceStatusAckDacsAnswer from '../examples/device-status-ack.dacs-answer.json' with { type: 'json' }
import deviceStatusAck from '../examples/device-status-ack.json' with { type: 'json' }
import deviceStatusAckReply from '../examples/device-status-ack.reply.json' with { type: 'json' }
import deviceStatusAckToDacs from '../examples/device-status-ack.to-dacs.json' with { type: 'json' }
import deviceStatusCheck from '../examples/device-status-check.json' with { type: 'json' }
import deviceStatusCheckReply from '../examples/device-status-check.reply.json' with { type: 'json' }
import deviceStatusCheckToDerms from '../examples/device-status-check.to-derms.json' with { type: 'json' }
import enrollmentRequestDacsAnswer from '../examples/enrollment-request.dacs-answer.json' with { type: 'json' }
import enrollmentRequest from '../examples/enrollment-request.json' with { type: 'json' }
import enrollmentRequestMixed from '../examples/enrollment-request.mixed.json' with { type: 'json' }
import enrollmentRequestReply from '../examples/enrollment-request.reply.json' with { type: 'json' }
import enrollmentRequestReplyMixed from '../examples/enrollment-request.reply-mixed.json' with { type: 'json' }
import enrollmentRequestToDacs from '../examples/enrollment-request.to-dacs.json' with { type: 'json' }
import enrollmentSyncFault from '../examples/enrollment-sync.fault.json' with { type: 'json' }
import enrollmentSync from '../examples/enrollment-sync.json' with { type: 'json' }
import enrollmentSyncReply from '../examples/enrollment-sync.reply.json' with { type: 'json' }
import enrollmentSyncToDerms from '../examples/enrollment-sync.to-derms.json' with { type: 'json' }
import enrollmentSyncAckError from '../examples/enrollment-sync-ack.error.json' with { type: 'json' }
import enrollmentSyncAckErrorToDacs from '../examples/enrollment-sync-ack.error-to-dacs.json' with { type: 'json' }
import enrollmentSyncAck from '../examples/enrollment-sync-ack.json' with { type: 'json' }
import enrollmentSyncAckToDacs from '../examples/enrollment-sync-ack.to-dacs.json' with { type: 'json' }
import eventOutcomeAckError from '../examples/event-outcome.ack-error.json' with { type: 'json' }
import eventOutcome from '../examples/event-outcome.json' with { type: 'json' }
import eventOutcomeToDacs from '../examples/event-outcome.to-dacs.json' with { type: 'json' }
import eventReservationAck from '../examples/event-reservation.ack.json' with { type: 'json' }
import eventReservation from '../examples/event-reservation.json' with { type: 'json' }
import eventReservationToDacs from '../examples/event-reservation.to-dacs.json' with { type: 'json' }
import problem from '../examples/problem.json' with { type: 'json' }
import problemDetailDocument from '../examples/problem-detail-document.json' with { type: 'json' }
import stageStatusCancel from '../examples/stage-status.cancel.json' with { type: 'json' }
import stageStatusCancelToDacs from '../examples/stage-status.cancel-to-dacs.json' with { type: 'json' }
import stageStatus from '../examples/stage-status.json' with { type: 'json' }
import stageStatusRefusedReply from '../examples/stage-status.refused-reply.json' with { type: 'json' }
import stageStatusReply from '../examples/stage-status.reply.json' with { type: 'json' }
import stageStatusToDacs from '../examples/stage-status.to-dacs.json' with { type: 'json' }

/**
 * Golden examples, by file name: a message of every kind in both directions, the same story told from flow to flow. Documents,
 * simulators and tests use them; the people in them are invented. The CSV files of the event files lie beside the JSON ones.
 */
export const examples = {
  'device-status-ack': deviceStatusAck,
  'device-status-ack.dacs-answer': deviceStatusAckDacsAnswer,
  'device-status-ack.reply': deviceStatusAckReply,
  'device-status-ack.to-dacs': deviceStatusAckToDacs,
  'device-status-check': deviceStatusCheck,
  'device-status-check.reply': deviceStatusCheckReply,
  'device-status-check.to-derms': deviceStatusCheckToDerms,
  'enrollment-request': enrollmentRequest,
  'enrollment-request.dacs-answer': enrollmentRequestDacsAnswer,
  'enrollment-request.mixed': enrollmentRequestMixed,
  'enrollment-request.reply': enrollmentRequestReply,
  'enrollment-request.reply-mixed': enrollmentRequestReplyMixed,
  'enrollment-request.to-dacs': enrollmentRequestToDacs,
  'enrollment-sync': enrollmentSync,
  'enrollment-sync-ack': enrollmentSyncAck,
  'enrollment-sync-ack.error': enrollmentSyncAckError,
  'enrollment-sync-ack.error-to-dacs': enrollmentSyncAckErrorToDacs,
  'enrollment-sync-ack.to-dacs': enrollmentSyncAckToDacs,
  'enrollment-sync.fault': enrollmentSyncFault,
  'enrollment-sync.reply': enrollmentSyncReply,
  'enrollment-sync.to-derms': enrollmentSyncToDerms,
  'event-outcome': eventOutcome,
  'event-outcome.ack-error': eventOutcomeAckError,
  'event-outcome.to-dacs': eventOutcomeToDacs,
  'event-reservation': eventReservation,
  'event-reservation.ack': eventReservationAck,
  'event-reservation.to-dacs': eventReservationToDacs,
  problem,
  'problem-detail-document': problemDetailDocument,
  'stage-status': stageStatus,
  'stage-status.cancel': stageStatusCancel,
  'stage-status.cancel-to-dacs': stageStatusCancelToDacs,
  'stage-status.refused-reply': stageStatusRefusedReply,
  'stage-status.reply': stageStatusReply,
  'stage-status.to-dacs': stageStatusToDacs,
} as const

export type ExampleName = keyof typeof examples
