import type { FlowId } from '@tieline/contracts/flows'
import type { Journal } from './journal.ts'

/** A message that another one speaks of. */
export interface FoundMessage {
  readonly key: string
  readonly division: string | undefined
}

/** The messages of a flow that carry each of the search terms, the newest first; for each term a list, in the order of the terms. */
export async function findByTerms(
  { redis, base }: Pick<Journal, 'redis' | 'base'>,
  flow: FlowId,
  terms: readonly string[],
): Promise<FoundMessage[][]> {
  const index = redis.pipeline()
  for (const term of terms) index.hkeys(`${base}:i:${term.toLowerCase()}`)
  const keysOfTerms = await answersOf<string[]>(index)
  const records = redis.pipeline()
  for (const key of keysOfTerms.flat()) records.hmget(`${base}:m:${key}`, 'flow', 'division', 'seq')
  const fields = (await answersOf<(string | null)[]>(records)).values()
  return keysOfTerms.map((keys) =>
    keys
      .map((key) => ({ key, fields: fields.next().value ?? [] }))
      .filter(({ fields: [of] }) => of === flow)
      .sort((one, other) => Number(other.fields[2]) - Number(one.fields[2]))
      .map(({ key, fields: [, division] }) => ({ key, division: division || undefined })),
  )
}

async function answersOf<Answer>(pipeline: ReturnType<Journal['redis']['pipeline']>): Promise<Answer[]> {
  const answers = pipeline.length === 0 ? [] : ((await pipeline.exec()) ?? [])
  return answers.map(([error, answer]) => {
    if (error) throw error
    return answer as Answer
  })
}
