import { type FileFlowId, fileFlowIds } from '@tieline/contracts/flows'
import { z } from 'zod'
import type { Auth } from './authenticator.ts'
import { createControl, obey } from './control-routes.ts'
import {
  createDermsInbound,
  type DermsEnrollment,
  type DermsScoreFile,
  type DermsStatusCheck,
} from './derms-inbound.ts'
import { type AckLine, renderMsgAck } from './derms-messages.ts'
import { createFarSide, type FarSide } from './far-side.ts'
import type { IngressAddress } from './ingress-caller.ts'
import { ingressSettings, toIngressAddress } from './ingress-settings.ts'
import type { AttachedFile } from './multipart.ts'
import { createOutboundMessages, type DermsFlow, type OutboundMessage } from './outbound-messages.ts'
import type { Refusal } from './refusal.ts'
import { createTimers } from './timers.ts'

export interface DermsOptions {
  readonly auth?: Auth | undefined
  readonly ingress?: IngressAddress | undefined
  /** MAX_RETRIES. Default: 3. */
  readonly maxRetries?: number
  /** Default: 30 s. */
  readonly retryIntervalMs?: number
  /** How long a call waits for its acknowledgment. Default: 300 s. */
  readonly sendTimeoutMs?: number
  /** How long an accepted file waits for its acknowledgment by call-back. Default: 600 s. */
  readonly ackTimeoutMs?: number
  /** Acknowledge every F2 with an F3 and every F4 with an F5, this long after it arrived. Default: only when told. */
  readonly acknowledgeAfterMs?: number | undefined
  /** `MsgAck` around the acknowledgments, read and written. Default: yes. */
  readonly msgAckWrapper?: boolean
}

export interface DermsSimulator extends FarSide, AsyncDisposable {
  /** By `dacsMessageId`, as are the status checks. */
  readonly enrollments: ReadonlyMap<string, DermsEnrollment>
  readonly statusChecks: ReadonlyMap<string, DermsStatusCheck>
  /** In the order in which they were taken. */
  readonly scoreFiles: readonly DermsScoreFile[]
  /** The table `drms_outbound_messages`. */
  readonly outbound: readonly OutboundMessage[]
  pointAt(ingress: IngressAddress): void
  /** Sends F1, F3, F5 or F7 and resolves after the first answer; retries go on by themselves. Never rejects. */
  send(flow: DermsFlow, body: unknown): Promise<OutboundMessage>
  /** Sends F6 or F9: a JSON part and a CSV file. Resolves when the file is accepted or refused. Never rejects. */
  sendFile(flow: FileFlowId, body: unknown, file: AttachedFile): Promise<OutboundMessage>
  /** Sends a row again with all its retries. @throws RangeError when there is no such row */
  resend(id: number): Promise<OutboundMessage>
  /** Resolves when a row is acknowledged or its retries are used up. @throws RangeError when there is no such row */
  whenDone(id: number): Promise<OutboundMessage>
  /**
   * Sends the F3 or F5 of a received F2 or F4; without `result` the one DERMS found.
   * @throws RangeError when nothing was received with that id
   */
  acknowledge(dacsMessageId: string, result?: Partial<AckLine>): Promise<OutboundMessage>
}

/** Grid Edge DERMS as far as the integration touches it: its inbound service and its outbound message table. */
export function createDermsSimulator(options: DermsOptions = {}): DermsSimulator {
  const wrapped = options.msgAckWrapper ?? true
  const timers = createTimers()
  const outbound = createOutboundMessages({
    timers,
    ingress: options.ingress,
    maxRetries: options.maxRetries ?? 3,
    retryIntervalMs: options.retryIntervalMs ?? 30_000,
    timeoutMs: options.sendTimeoutMs ?? 300_000,
    ackTimeoutMs: options.ackTimeoutMs ?? 600_000,
    wrapped,
  })
  const inbound = createDermsInbound({
    wrapped,
    onReceived(dacsMessageId) {
      if (options.acknowledgeAfterMs === undefined) return
      timers.after(options.acknowledgeAfterMs, () => void acknowledge(dacsMessageId))
    },
    onFileAck: outbound.acknowledge,
  })

  const acknowledge: DermsSimulator['acknowledge'] = async (dacsMessageId, result) => {
    const enrollment = inbound.enrollments.get(dacsMessageId)
    if (enrollment !== undefined) {
      return outbound.send('enrollment-sync-ack', renderMsgAck([{ ...enrollment.result, ...result }], wrapped))
    }
    const check = inbound.statusChecks.get(dacsMessageId)
    if (check === undefined) throw new RangeError(`Nothing was received with dacsMessageId "${dacsMessageId}"`)
    const { responseCode } = { ...check.result, ...result }
    return outbound.send('device-status-ack', { dacsMessageId, responseCode })
  }

  const controls: Omit<DermsSimulator, keyof FarSide | typeof Symbol.asyncDispose> = {
    enrollments: inbound.enrollments,
    statusChecks: inbound.statusChecks,
    scoreFiles: inbound.scoreFiles,
    outbound: outbound.rows,
    pointAt: outbound.pointAt,
    send: outbound.send,
    sendFile: outbound.sendFile,
    resend: outbound.resend,
    whenDone: outbound.whenDone,
    acknowledge,
  }

  const farSide = createFarSide({
    operations: inbound.operations,
    root: '/nms-drms/rest/v1',
    auth: options.auth,
    renderRefusal: (refusal) => dermsRefusal(refusal, wrapped),
    state: () => ({
      enrollments: [...inbound.enrollments.values()],
      statusChecks: [...inbound.statusChecks.values()],
      scoreFiles: inbound.scoreFiles,
      outbound: outbound.rows,
    }),
    resetState() {
      inbound.enrollments.clear()
      inbound.statusChecks.clear()
      inbound.scoreFiles.length = 0
      timers.stop()
      outbound.reset()
    },
    control: createDermsControl(controls),
  })
  return {
    ...farSide,
    ...controls,
    async [Symbol.asyncDispose]() {
      timers.stop()
    },
  }
}

/** A malformed request is acknowledged as ERROR; the container answers everything else. */
function dermsRefusal({ status, title, detail }: Refusal, wrapped: boolean): unknown {
  if (status === 400) return renderMsgAck([{ responseCode: 'ERROR', value: detail }], wrapped)
  return { status, title, detail }
}

function createDermsControl(derms: Pick<DermsSimulator, 'send' | 'sendFile' | 'resend' | 'acknowledge' | 'pointAt'>) {
  const control = createControl()
  const sending = z.strictObject({
    flow: z.enum(['enrollment-request', 'enrollment-sync-ack', 'device-status-ack', 'stage-status']),
    body: z.unknown(),
  })
  const acknowledging = z.strictObject({
    dacsMessageId: z.string().min(1),
    responseCode: z.enum(['SUCCESS', 'ERROR', 'FAILURE']).optional(),
    value: z.string().optional(),
  })
  control.post('/send', (c) => obey(c, sending, ({ flow, body }) => derms.send(flow, body)))
  const sendingFile = z.strictObject({
    flow: z.enum(fileFlowIds),
    body: z.unknown(),
    file: z.strictObject({ name: z.string(), content: z.string() }),
  })
  control.post('/send-file', (c) => obey(c, sendingFile, ({ flow, body, file }) => derms.sendFile(flow, body, file)))
  control.post('/resend', (c) => obey(c, z.strictObject({ id: z.number().int() }), ({ id }) => derms.resend(id)))
  control.post('/acknowledge', (c) =>
    obey(c, acknowledging, ({ dacsMessageId, responseCode, value }) =>
      derms.acknowledge(dacsMessageId, {
        ...(responseCode !== undefined && { responseCode }),
        ...(value !== undefined && { value }),
      }),
    ),
  )
  control.post('/ingress', (c) => obey(c, ingressSettings, (settings) => derms.pointAt(toIngressAddress(settings))))
  return control
}
