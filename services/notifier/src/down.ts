import type { Notice } from '@tieline/contracts/notice'
import { saysDown } from '@tieline/journal/mail/windows'

type Told = Pick<Notice, 'kind' | 'code' | 'cause' | 'connection' | 'httpStatus' | 'digest'>

/** The connection that the first e-mail of an outage tells to be down, for all flows; undefined when it is about something else. */
export function downConnection({ kind, code, cause, connection, httpStatus, digest }: Told): string | undefined {
  if (kind !== 'error' || digest) return undefined
  return saysDown({ code: cause ?? code, httpStatus }) ? connection : undefined
}

/** What is wrong with a connection, in a sentence that begins with its name and has no end. */
export function downHeadline({ code, cause = code, httpStatus }: Told, connection: string): string {
  if (httpStatus === 401 || cause === 'target-unauthorized') return `${connection} refuses our login`
  if (httpStatus === 403 || cause === 'target-forbidden') return `${connection} denies us access`
  if (httpStatus === 404 || cause === 'target-not-found') return `${connection} does not know what we call`
  if (httpStatus === 429 || cause === 'target-throttled') return `${connection} takes no more calls`
  if (cause === 'target-timeout') return `${connection} does not answer in time`
  if (cause === 'target-reset') return `${connection} breaks off in the middle of calls`
  if (cause === 'connection-paused') return `${connection} has refused us and is paused`
  return `${connection} is down`
}
