import { never, TielineError } from '@tieline/runtime/error'
import { faultsOf } from '@tieline/worker-service/parse-payload'
import type { z } from 'zod'
import type { RowValues } from '../event-file.ts'

/**
 * A row by its contract.
 * @throws TielineError `contract-violation` naming columns and rules, never a value
 */
export function readRow<Schema extends z.ZodType>(schema: Schema, values: RowValues): z.infer<Schema> {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw new TielineError('contract-violation', never, faultsOf(parsed.error))
}
