import type { LookupName } from '@tieline/contracts/flows'
import { lookups } from './lookups.ts'

/** Every lookup, in the order of the catalogue. */
export const lookupNames = Object.keys(lookups) as readonly LookupName[]

/** The names that installations know from Oracle Integration are ours behind this prefix. */
const oicPrefix = 'OUTL-BRT-DACS_DRMS_'

export const oicLookupName = (lookup: LookupName): string => `${oicPrefix}${lookup}`

/**
 * Reads a lookup's name with or without its prefix, in any of the spellings that the guide uses: other case, other
 * separators, and `OUAI` where it slipped in from the analytics integration (docs/wire-facts.md, Lookups).
 */
export function readLookupName(text: string): LookupName | undefined {
  const bare = plainSpelling(text).replace(/^outlbrt(ouai)?dacs(drms|ouai)/, '')
  return lookupNames.find((lookup) => plainSpelling(lookup) === bare)
}

/** What remains the same in all spellings of a lookup, a column or a property: its letters and digits without case. */
export const plainSpelling = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
