import { type Answer, CallError, never, type TielineError } from '@tieline/runtime/error'
import type { Journal } from './journal.ts'
import type { EffectCall } from './types.ts'

/** One intended call on a target; see `Attempt.effect`. */
export interface EffectSummary {
  readonly id: string
  readonly state: 'sending' | 'confirmed' | 'refused' | 'failed' | 'unknown'
  readonly operation: string
  readonly connection: string
  readonly tries: number
  /** How many of the tries were made although an earlier one may have been applied. */
  readonly repeats: number
  readonly status?: number
  readonly code?: string
  readonly ms?: number
  readonly at: number
}

/** How an effect is stored: the values in this order, what is missing at the end left out. The scripts read it too. */
export const effectFields = [
  'state',
  'tries',
  'repeats',
  'unknown',
  'generation',
  'at',
  'operation',
  'connection',
  'status',
  'code',
  'ms',
  'result',
  'call',
] as const

export type StoredEffect = Partial<Record<(typeof effectFields)[number], string | number>>

export function readEffect(stored: string): StoredEffect {
  const values = JSON.parse(stored) as (string | number)[]
  return Object.fromEntries(
    effectFields.flatMap((name, i) => (values[i] === undefined || values[i] === '' ? [] : [[name, values[i]]])),
  )
}

/** The effects that are known of a message. */
export async function readEffects(journal: Pick<Journal, 'redis' | 'base'>, key: string): Promise<EffectSummary[]> {
  const stored = await journal.redis.hgetall(`${journal.base}:e:${key}`)
  return Object.entries(stored).map(([id, effect]) => summarizeEffect(id, readEffect(effect)))
}

export function summarizeEffect(id: string, effect: StoredEffect): EffectSummary {
  const { state, operation, connection, tries, repeats = 0, status, code, ms, at } = effect
  return { id, state, operation, connection, tries, repeats, status, code, ms, at } as EffectSummary
}

/** How a call ended; `error` when the message must deal with it. */
export interface Ended {
  readonly state: 'confirmed' | 'refused' | 'failed' | 'unknown'
  readonly status?: number | undefined
  readonly code?: string
  readonly ms?: number
  readonly kept?: { readonly value: unknown }
  readonly error?: TielineError
}

/** @param unknownBefore the outcome of an earlier call for the same effect is not known */
export async function makeCall<Result>(intended: EffectCall<Result>, unknownBefore: boolean): Promise<Ended> {
  let answer: Answer
  try {
    answer = await intended.call()
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return unsuccessful(intended, error, unknownBefore)
  }
  return {
    state: 'confirmed',
    status: answer.status,
    ms: answer.durationMs,
    kept: { value: intended.confirmed(answer) },
  }
}

function unsuccessful<Result>(intended: EffectCall<Result>, error: CallError, unknownBefore: boolean): Ended {
  const { code, outcome, status, durationMs: ms } = error
  if (outcome === 'refused' && !unknownBefore)
    return { state: 'refused', status, code, ms, kept: { value: intended.refused(error) } }
  // That this call was not applied says nothing about the one before.
  if (outcome === 'failed' && unknownBefore)
    return { state: 'unknown', status, code, ms, error: new CallError({ ...factsOf(error), outcome: 'unknown' }) }
  if (outcome !== 'refused') return { state: outcome, status, code, ms, error }
  // A refusal of a repeat says nothing about the first call: it may have been applied.
  const unclear = new CallError({
    ...factsOf(error),
    code: 'outcome-unknown',
    retry: never,
    outcome: 'unknown',
    message: `${intended.operation} at ${error.connection}: refused a repeat, the outcome of an earlier call is unknown`,
  })
  return { state: 'unknown', status, code: unclear.code, ms, error: unclear }
}

const factsOf = ({ code, retry, connection, message, durationMs, status, farText }: CallError) => ({
  code,
  retry,
  connection,
  message,
  durationMs,
  ...(status !== undefined && { status }),
  ...(farText !== undefined && { farText }),
})
