import { isDeepStrictEqual } from 'node:util'
import type { FileFlowId } from '@tieline/contracts/flows'
import {
  type Ack,
  type AckLine,
  type EnrollmentSync,
  enrollmentSync,
  msgAck,
  renderMsgAck,
  type StatusCheck,
  statusCheck,
} from './derms-messages.ts'
import { openApiDocument, serviceCatalog } from './derms-openapi.ts'
import type { Operation, ReceivedFile } from './far-side.ts'
import { demand, Refusal } from './refusal.ts'

export interface DermsEnrollment {
  readonly dacsMessageId: string
  readonly message: EnrollmentSync
  /** What DERMS will acknowledge. */
  readonly result: AckLine
}

export interface DermsStatusCheck {
  readonly dacsMessageId: string
  readonly message: StatusCheck
  readonly result: AckLine
}

/** A file of device scores that DERMS took. */
export interface DermsScoreFile extends ReceivedFile {
  readonly name: string
}

export interface DermsInboundOptions {
  readonly wrapped: boolean
  readonly onReceived: (dacsMessageId: string) => void
  /** False when DERMS never sent such a file. */
  readonly onFileAck: (flow: FileFlowId, ack: Ack) => boolean
}

/** The service NMS-DACSInbound: enrollments (F2) and status checks (F4) by `dacsMessageId`, acknowledgments of files (F6, F9), score files (F8). */
export function createDermsInbound({ wrapped, onReceived, onFileAck }: DermsInboundOptions) {
  const enrollments = new Map<string, DermsEnrollment>()
  const statusChecks = new Map<string, DermsStatusCheck>()
  const scoreFiles: DermsScoreFile[] = []

  const enroll: Operation = {
    name: 'enroll',
    method: 'POST',
    path: '/enroll',
    accepts: 'json',
    handle({ body }) {
      const message = demand(enrollmentSync, body)
      const { dacsMessageId } = message
      const result = judge(message)
      const applied = !isDeepStrictEqual(enrollments.get(dacsMessageId)?.message, message)
      enrollments.set(dacsMessageId, { dacsMessageId, message, result })
      if (applied) onReceived(dacsMessageId)
      return {
        status: 200,
        body: renderMsgAck([result], wrapped),
        applied: applied && result.responseCode === 'SUCCESS',
      }
    },
  }

  const check: Operation = {
    name: 'statusCheck',
    method: 'POST',
    path: '/status-check',
    accepts: 'json',
    handle({ body }) {
      const message = demand(statusCheck, body)
      const { dacsMessageId } = message
      const result = { dacsMessageId, responseCode: 'SUCCESS' } as const
      const applied = !isDeepStrictEqual(statusChecks.get(dacsMessageId)?.message, message)
      statusChecks.set(dacsMessageId, { dacsMessageId, message, result })
      if (applied) onReceived(dacsMessageId)
      return { status: 200, body: renderMsgAck([result], wrapped), applied }
    },
  }

  const fileAck = (name: string, path: string, flow: FileFlowId): Operation => ({
    name,
    method: 'POST',
    path,
    accepts: 'json',
    handle({ body }) {
      const ack = demand(msgAck(wrapped), body)
      if (!onFileAck(flow, ack)) throw new Refusal(400, 'Unknown message', 'No message with this id was sent')
      return { status: 200, body: renderMsgAck([{ responseCode: 'SUCCESS' }], wrapped), applied: true }
    },
  })
  const eventReservationAck = fileAck('eventReservationAck', '/event-reservation-ack', 'event-reservation')
  const deviceOutcomeAck = fileAck('deviceOutcomeAck', '/device-outcome-ack', 'event-outcome')

  const deviceScore: Operation = {
    name: 'deviceScore',
    method: 'POST',
    path: '/device-score/:fileName',
    accepts: 'file',
    handle({ params: { fileName = '' }, body }) {
      scoreFiles.push({ name: fileName, ...(body as ReceivedFile) })
      return { status: 200, body: null, applied: true }
    },
  }

  const catalog: Operation = {
    name: 'catalog',
    method: 'GET',
    path: '/catalog',
    accepts: 'nothing',
    handle: () => ({ status: 200, body: serviceCatalog, applied: false }),
  }

  const openapi: Operation = {
    name: 'openapi',
    method: 'GET',
    path: '/openapi.json',
    accepts: 'nothing',
    handle: () => ({ status: 200, body: openApiDocument, applied: false }),
  }
  const operations = [enroll, check, eventReservationAck, deviceOutcomeAck, deviceScore, catalog, openapi]
  return { enrollments, statusChecks, scoreFiles, operations }
}

/** DERMS cannot subscribe nobody: the one business fault of F2 that is documented (docs/wire-facts.md, F2). */
function judge({ dacsMessageId, contactInfo }: EnrollmentSync): AckLine {
  if (contactInfo?.cisPersonId) return { dacsMessageId, responseCode: 'SUCCESS' }
  return { dacsMessageId, responseCode: 'ERROR', value: 'Cannot create the subscription: CIS_PERSON_ID is null' }
}
