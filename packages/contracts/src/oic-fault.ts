import { z } from 'zod'
import { reasonPhrase } from './problem.ts'

/** The fault that DACS gets for an enrollment sync or a device status check: the error body usual at the edge of OIC. */
export const oicFaultDocument = z.object({
  type: z.string(),
  title: z.string(),
  detail: z.string(),
  'o:errorCode': z.string(),
  'o:errorDetails': z.array(
    z.object({
      type: z.string(),
      instance: z.string(),
      title: z.string(),
      'o:errorPath': z.string(),
      'o:errorCode': z.string(),
    }),
  ),
})

export type OicFault = z.infer<typeof oicFaultDocument>

interface FaultFacts {
  /** HTTP status of the fault itself. */
  status: number
  /** Left out: the usual words for the status. */
  title?: string
  detail: string
  /** The step that failed, such as `postDRMSEnrollmentSync`. */
  instance: string
  /** Such as `APIInvocationError`. */
  errorCode: string
  /** What the step met, such as `HTTP 503`. Left out: the status of the fault. */
  cause?: string
  /** Fields at fault, never their values: one detail each. */
  errors?: readonly { path: string; rule: string }[]
}

/** Builds the fault. The shape of OIC's REST errors is not published; this is the usual one. */
export function oicFault({ status, title, detail, instance, errorCode, cause, errors }: FaultFacts): OicFault {
  const entry = { type: 'UnMappedFault', instance }
  return {
    type: statusPage(status),
    title: title ?? reasonPhrase(status),
    detail,
    'o:errorCode': String(status),
    'o:errorDetails':
      errors === undefined || errors.length === 0
        ? [{ ...entry, title: cause ?? `HTTP ${status}`, 'o:errorPath': '', 'o:errorCode': errorCode }]
        : errors.map(({ path, rule }) => ({ ...entry, title: rule, 'o:errorPath': path, 'o:errorCode': errorCode })),
  }
}

/** OIC names the section of RFC 2616 that describes the status; a status that is younger has none. */
function statusPage(status: number): string {
  const section =
    status >= 500 && status <= 505
      ? `10.5.${status - 499}`
      : status >= 400 && status <= 417
        ? `10.4.${status - 399}`
        : ''
  return section === '' ? 'about:blank' : `http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec${section}`
}
