import { expect } from 'vitest'

/** Replies as the callers must get them: whole documents, in which only times are left open. */

/** UTC, with the milliseconds that the accelerator has always written. */
const ackTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/)

export interface ExpectedResponse {
  readonly id?: string
  readonly value?: string
  readonly responseCode: string
  readonly dacsMessageId?: string
}

export const msgAck = (ackType: 'SUCCESS' | 'ERROR' | 'FAILURE', ...responses: readonly ExpectedResponse[]) => ({
  status: 200,
  body: {
    MsgAck: {
      ackType,
      whenISO: ackTime,
      responses: { response: responses.map((response) => ({ ...response, responseTimeISO: ackTime })) },
    },
  },
})

export const externalId = (id: string) => ({ status: 200, body: { responseDetails: { externalId: id } } })

interface ExpectedFault {
  readonly detail: string
  /** The flow that failed. */
  readonly instance: 'enrollment-sync' | 'device-status-check'
  readonly errorCode: string
  /** What the step met. */
  readonly cause?: string
}

/** The fault for a message that DERMS did not take. */
export const fault500 = ({ detail, instance, errorCode, cause = 'HTTP 500' }: ExpectedFault) => ({
  status: 500,
  body: {
    type: 'http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.5.1',
    title: 'Internal Server Error',
    detail,
    'o:errorCode': '500',
    'o:errorDetails': [{ type: 'UnMappedFault', instance, title: cause, 'o:errorPath': '', 'o:errorCode': errorCode }],
  },
})

interface ExpectedErrors {
  readonly detail: string
  readonly code: string
  readonly errors?: readonly { readonly path: string; readonly rule: string }[]
}

/** The fault for a message that was refused at the door: one detail for each field at fault. */
export const fault400 = (
  instance: ExpectedFault['instance'],
  { detail, code, errors = [{ path: '', rule: 'HTTP 400' }] }: ExpectedErrors,
) => ({
  status: 400,
  body: {
    type: 'http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.1',
    title: 'Bad Request',
    detail,
    'o:errorCode': '400',
    'o:errorDetails': errors.map(({ path, rule }) => ({
      type: 'UnMappedFault',
      instance,
      title: rule,
      'o:errorPath': path,
      'o:errorCode': code,
    })),
  },
})

/** The refusal of everybody else's messages at the door. */
export const problem400 = ({ detail, code, errors }: ExpectedErrors) => ({
  status: 400,
  body: {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail,
    code,
    ...(errors && { errors }),
    instance: expect.stringMatching(/^[\w-]+$/),
  },
})
