import { z } from 'zod'
import { acknowledgment } from './acknowledgment.ts'
import type { ExampleName } from './examples.ts'
import { dacsDeviceStatusAnswer, dacsDeviceStatusResponse, deviceStatusAck } from './messages/device-status-ack.ts'
import { dermsStatusCheck, deviceStatusCheck } from './messages/device-status-check.ts'
import {
  dacsEnrollment,
  dacsEnrollmentAnswer,
  enrollmentRecord,
  enrollmentRequest,
} from './messages/enrollment-request.ts'
import { dermsEnrollmentSync, enrollmentSync } from './messages/enrollment-sync.ts'
import { dacsUpdateSyncRequest, enrollmentSyncAckDocument } from './messages/enrollment-sync-ack.ts'
import { dacsOutcomes, eventOutcome, outcomeRow } from './messages/event-outcome.ts'
import { dacsReservation, eventReservation, reservationRow } from './messages/event-reservation.ts'
import { dacsProgramEvent, dacsProgramEventAction, stageStatus, stageStatusCreate } from './messages/stage-status.ts'
import { msgAckDocument } from './msg-ack.ts'
import { notice } from './notice.ts'
import { oicFaultDocument } from './oic-fault.ts'
import { problemDocument } from './problem.ts'
import { problemDetailDocument } from './problem-detail-document.ts'
import { externalIdDocument } from './replies.ts'

export interface Contract {
  readonly title: string
  readonly schema: z.ZodType
  /** Golden examples that keep it. */
  readonly examples: readonly ExampleName[]
}

/** Every message that crosses a boundary, by name. JSON Schemas and the description of the ingress are made of this table. */
export const contracts = {
  'enrollment-request': {
    title: 'F1, DERMS to Tieline: enrollments',
    schema: enrollmentRequest.extend({ params: z.array(enrollmentRecord) }),
    examples: ['enrollment-request', 'enrollment-request.mixed'],
  },
  'enrollment-request.to-dacs': {
    title: 'F1, Tieline to DACS: one enrollment',
    schema: dacsEnrollment,
    examples: ['enrollment-request.to-dacs'],
  },
  'enrollment-request.dacs-answer': {
    title: 'F1, answer of DACS: what is read of it, without its root',
    schema: dacsEnrollmentAnswer,
    examples: [],
  },
  'enrollment-sync': {
    title: 'F2, DACS to Tieline: customer, subscription and devices',
    schema: enrollmentSync,
    examples: ['enrollment-sync'],
  },
  'enrollment-sync.to-derms': {
    title: 'F2, Tieline to DERMS: customer, subscription and devices',
    schema: dermsEnrollmentSync,
    examples: ['enrollment-sync.to-derms'],
  },
  'enrollment-sync-ack': {
    title: 'F3, DERMS to Tieline: result of enrollment syncs',
    schema: enrollmentSyncAckDocument,
    examples: ['enrollment-sync-ack', 'enrollment-sync-ack.error'],
  },
  'enrollment-sync-ack.to-dacs': {
    title: 'F3, Tieline to DACS: update of one sync request',
    schema: dacsUpdateSyncRequest,
    examples: ['enrollment-sync-ack.to-dacs', 'enrollment-sync-ack.error-to-dacs'],
  },
  'device-status-check': {
    title: 'F4, DACS to Tieline: question for the status of a device',
    schema: deviceStatusCheck,
    examples: ['device-status-check'],
  },
  'device-status-check.to-derms': {
    title: 'F4, Tieline to DERMS: question for the status of a device',
    schema: dermsStatusCheck,
    examples: ['device-status-check.to-derms'],
  },
  'device-status-ack': {
    title: 'F5, DERMS to Tieline: status of a device',
    schema: deviceStatusAck,
    examples: ['device-status-ack'],
  },
  'device-status-ack.to-dacs': {
    title: 'F5, Tieline to DACS: status of a device',
    schema: dacsDeviceStatusResponse,
    examples: ['device-status-ack.to-dacs'],
  },
  'device-status-ack.dacs-answer': {
    title: 'F5, answer of DACS: what is read of it, without its root',
    schema: dacsDeviceStatusAnswer,
    examples: [],
  },
  'event-reservation': {
    title: 'F6, DERMS to Tieline: the stage whose devices a file reserves',
    schema: eventReservation,
    examples: ['event-reservation'],
  },
  'event-reservation.row': {
    title: 'F6, DERMS to Tieline: one row of the file',
    schema: reservationRow,
    examples: [],
  },
  'event-reservation.to-dacs': {
    title: 'F6, Tieline to DACS: one segment of the file',
    schema: dacsReservation,
    examples: ['event-reservation.to-dacs'],
  },
  'event-outcome': {
    title: 'F9, DERMS to Tieline: outcomes of events, which a file holds',
    schema: eventOutcome,
    examples: ['event-outcome'],
  },
  'event-outcome.row': {
    title: 'F9, DERMS to Tieline: one row of the file',
    schema: outcomeRow,
    examples: [],
  },
  'event-outcome.to-dacs': {
    title: 'F9, Tieline to DACS: one segment of the file',
    schema: dacsOutcomes,
    examples: ['event-outcome.to-dacs'],
  },
  'stage-status': {
    title: 'F7, DERMS to Tieline: status of a stage',
    schema: stageStatus,
    examples: ['stage-status', 'stage-status.cancel'],
  },
  'stage-status.create': {
    title: 'F7, DERMS to Tieline: a status that creates the program event',
    schema: stageStatusCreate,
    examples: ['stage-status'],
  },
  'stage-status.to-dacs': {
    title: 'F7, Tieline to DACS: a new program event',
    schema: dacsProgramEvent,
    examples: ['stage-status.to-dacs'],
  },
  'stage-status.action-to-dacs': {
    title: 'F7, Tieline to DACS: an action on a program event',
    schema: dacsProgramEventAction,
    examples: ['stage-status.cancel-to-dacs'],
  },
  'msg-ack': {
    title: 'Acknowledgment of DERMS (MsgAck)',
    schema: msgAckDocument,
    examples: [
      'enrollment-request.reply',
      'enrollment-request.reply-mixed',
      'device-status-ack.reply',
      'stage-status.reply',
      'stage-status.refused-reply',
      'event-reservation.ack',
      'event-outcome.ack-error',
    ],
  },
  'external-id': {
    title: 'Good answer to DACS',
    schema: externalIdDocument,
    examples: ['enrollment-sync.reply', 'device-status-check.reply'],
  },
  'oic-fault': { title: 'Fault to DACS', schema: oicFaultDocument, examples: ['enrollment-sync.fault'] },
  problem: { title: 'Refusal of the ingress (RFC 9457)', schema: problemDocument, examples: ['problem'] },
  'problem-detail-document': {
    title: 'Error body of DACS',
    schema: problemDetailDocument,
    examples: ['problem-detail-document'],
  },
  acknowledgment: { title: 'F6, F9: an acknowledgment that is due', schema: acknowledgment, examples: [] },
  notice: { title: 'F10: an e-mail that is due', schema: notice, examples: [] },
} as const satisfies Record<string, Contract>

export type ContractName = keyof typeof contracts
