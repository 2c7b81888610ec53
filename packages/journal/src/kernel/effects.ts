import type { Journal } from '../journal.ts'
import { effectFields } from '../schema.ts'

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
