import { connectionFailures } from '@tieline/contracts/failures'
import { type Answer, CallError } from '@tieline/runtime/error'

export interface ConnectionWatch {
  /** True when the last calls, so many as were told, failed for a reason that lies with the connection. */
  readonly down: boolean
  /** Makes the call and takes note of how it ended. */
  observe(call: () => Promise<Answer>): Promise<Answer>
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
    async observe(call) {
      try {
        const answer = await call()
        failedInARow = 0
        return answer
      } catch (error) {
        const ofConnection = error instanceof CallError && connectionFailures.has(error.code)
        failedInARow = ofConnection ? failedInARow + 1 : 0
        throw error
      }
    },
  }
}
