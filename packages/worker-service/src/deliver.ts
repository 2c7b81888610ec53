import type { Attempt, EffectCall } from '@tieline/journal/types'
import { type Answer, CallError, never } from '@tieline/runtime/error'

interface Delivery<Kept extends object | undefined>
  extends Pick<EffectCall<Kept>, 'operation' | 'connection' | 'call' | 'quiet'> {
  /** What to keep of a success, as JSON; undefined for nothing. */
  readonly keep: (answer: Answer) => Kept
}

/** What the journal keeps of a refusal, so that a later attempt ends as this one would have. */
interface Refusal {
  readonly message: string
  readonly status?: number | undefined
  readonly farText?: string | undefined
}

/**
 * Makes one intended call. A refusal becomes an error like the others, so that a processor words every bad end in one place.
 * No signal goes with the call: a stop waits for calls in flight, because a broken one leaves an unknown outcome behind.
 * @throws CallError for every way not to succeed
 */
export async function deliver<Kept extends object | undefined>(
  attempt: Pick<Attempt, 'effect'>,
  id: string,
  { keep, ...intended }: Delivery<Kept>,
): Promise<Kept> {
  const { result } = await attempt.effect<{ kept: Kept } | { refusal: Refusal } | undefined>(id, {
    ...intended,
    confirmed(answer) {
      const kept = keep(answer)
      return kept === undefined ? undefined : { kept }
    },
    refused: ({ message, status, farText }) => ({ refusal: { message, status, farText } }),
  })
  if (result === undefined) return undefined as Kept
  if ('kept' in result) return result.kept
  const { message, status, farText } = result.refusal
  throw new CallError({
    code: 'target-refused',
    retry: never,
    outcome: 'refused',
    connection: intended.connection,
    message,
    durationMs: 0,
    ...(status !== undefined && { status }),
    ...(farText !== undefined && { farText }),
  })
}
