import { connectionFailures } from '@tieline/contracts/failures'
import type { CallResult, CallTarget } from '@tieline/runtime/call-target'
import { CallError } from '@tieline/runtime/error'

export interface ConnectionWatch {
  /** True when the last calls, so many as were told, failed for a reason that lies with the connection. */
  readonly down: boolean
  /** The same target; how its calls end is taken note of. */
  over<Operation extends string, Request, Result extends CallResult>(
    target: CallTarget<Operation, Request, Result>,
  ): CallTarget<Operation, Request, Result>
}

/**
 * Tells when a list need not go on, because each further call would only wait for nothing.
 * @param downAfter so many failures in a row; with calls at the same time at least as many as there are
 */
export function createConnectionWatch(downAfter: number): ConnectionWatch {
  let failedInARow = 0
  return {
    get down() {
      return failedInARow >= downAfter
    },
    over: (target) => ({
      name: target.name,
      async call(operation, request, mayCall) {
        try {
          const result = await target.call(operation, request, mayCall)
          failedInARow = 0
          return result
        } catch (error) {
          const ofConnection = error instanceof CallError && connectionFailures.has(error.code)
          failedInARow = ofConnection ? failedInARow + 1 : 0
          throw error
        }
      },
    }),
  }
}
