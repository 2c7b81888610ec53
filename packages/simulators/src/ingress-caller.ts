import type { InboundFlowId } from '@tieline/contracts/flows'
import { basicAuthorization } from './authenticator.ts'
import type { RenderedBody } from './multipart.ts'
import { parsedOrText } from './parsed-or-text.ts'

/** Where a simulated system finds the integration layer, and how it makes itself known there. */
export interface IngressAddress {
  readonly baseUrl: string
  readonly basic?: { readonly username: string; readonly password: string } | undefined
  /** Fetches a bearer token before each call. */
  readonly bearer?: (() => Promise<string>) | undefined
  /** Other URIs than the ones installations have today. */
  readonly paths?: Partial<Record<InboundFlowId, string>> | undefined
}

/** What the integration layer said to one call. */
export interface IngressAnswer {
  readonly at: number
  readonly durationMs: number
  /** Undefined when there was no answer; then `error` says why. */
  readonly status: number | undefined
  readonly body: unknown
  readonly error: string | undefined
}

const project = '/ic/api/integration/v2/flows/oracleutilities/project/OUTL-BA-DACS_DERMS'

/** The URLs that DERMS and DACS have in their configuration today (docs/wire-facts.md, Endpoints of the integration). */
const documentedPaths: Record<InboundFlowId, string> = {
  'enrollment-request': `${project}/OUTL-BA-DRMS_DACS_ENROLLRQ/1.0/enroll-to-dacs`,
  'enrollment-sync': `${project}/OUTL-BA-DACS_DRMS_ENROLL_SYNC/1.0/enroll`,
  'enrollment-sync-ack': `${project}/OUTL-BA-DRMS_DACS_SYNC_ACK/1.0/sendEnrollAck`,
  'device-status-check': `${project}/OUTL-BA-DACS_DRMS_DEVICE_STATUS/1.0/deviceStatusCheck`,
  'device-status-ack': `${project}/OUTL-BA-DRMS_DACS_DEV_STAT_ACK/1.0/status-check-ack-to-dacs`,
  'event-reservation': `${project}/OUTL_BA_DRMS_DACS_EVT_DVCRESV/1.0/reserveDevice`,
  'stage-status': `${project}/OUTL-BA-DRMS_DACS_PEVNT_STAT_UPD/1.0/statusUpdate`,
  'event-outcome': `${project}/OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR/1.0/eventOutcome`,
}

/** A message without a file. */
export const renderJson = (body: unknown): RenderedBody => ({
  contentType: 'application/json',
  bytes: new TextEncoder().encode(JSON.stringify(body)),
})

/** Posts one message and records the answer; never throws. */
export async function callIngress(
  address: IngressAddress | undefined,
  flow: InboundFlowId,
  { contentType, bytes }: RenderedBody,
  timeoutMs: number,
): Promise<IngressAnswer> {
  const at = Date.now()
  const answer = (rest: Pick<IngressAnswer, 'status' | 'body' | 'error'>) => ({
    at,
    durationMs: Date.now() - at,
    ...rest,
  })
  if (address === undefined) return answer({ status: undefined, body: undefined, error: 'NO_INGRESS' })
  try {
    const url = address.baseUrl.replace(/\/$/, '') + (address.paths?.[flow] ?? documentedPaths[flow])
    const headers: Record<string, string> = { 'content-type': contentType }
    if (address.basic) headers.authorization = basicAuthorization(address.basic)
    if (address.bearer) headers.authorization = `Bearer ${await address.bearer()}`
    const response = await fetch(url, { method: 'POST', headers, body: bytes, signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    return answer({ status: response.status, body: parsedOrText(text), error: undefined })
  } catch (error) {
    return answer({ status: undefined, body: undefined, error: nameOf(error) })
  }
}

/** `fetch failed` says nothing; the code of its cause does. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name
}
