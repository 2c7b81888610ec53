import type { TielineError } from '@tieline/runtime/error'

/**
 * The error whose retry decides when several parts of a message failed: one that goes by the flow's schedule, else the one
 * with the shortest wait, else any. Undefined when there are none.
 */
export const soonestRetry = <Failure extends TielineError>(errors: readonly Failure[]): Failure | undefined =>
  errors.toSorted((a, b) => waitOf(a) - waitOf(b))[0]

function waitOf({ retry }: TielineError): number {
  switch (retry.kind) {
    case 'backoff':
      return -1
    case 'after':
      return retry.delayMs
    case 'never':
      return Number.POSITIVE_INFINITY
  }
}
