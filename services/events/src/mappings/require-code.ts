import type { LookupSnapshot } from '@tieline/lookups/snapshot'
import { never, TielineError } from '@tieline/runtime/error'

/**
 * What a lookup translates a value to, if it is a code that DACS has: rows are free text, and another code would come back as a
 * refusal that names no row.
 * @throws TielineError `lookup-missing` when the lookup has no usable row
 */
export function requireCode<const Codes extends readonly string[]>(
  codes: Codes,
  lookups: Pick<LookupSnapshot, 'require'>,
  lookup: 'EventOutcome',
  key: string,
): Codes[number] {
  const code = lookups.require(lookup, key)
  if (codes.includes(code)) return code
  const rule = `which is none of ${codes.join(', ')}`
  throw new TielineError(
    'lookup-missing',
    never,
    `${lookup} gives ${JSON.stringify(code)} for ${JSON.stringify(key)}, ${rule}`,
  )
}
