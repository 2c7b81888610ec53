import { createSnapshot, defaultTables, type LookupTables } from '@tieline/lookups/snapshot'

/** The lookups as they start, with other rows in some. */
export const tablesWith = (rows: Partial<LookupTables> = {}) => createSnapshot({ ...defaultTables(), ...rows }, 1)
