import { createSnapshot, defaultTables, type LookupTables } from '@tieline/lookups/snapshot'

/** The lookups that an installation starts with, and the rows that the golden examples need. */
export const lookupsWith = (tables: Partial<LookupTables> = {}) =>
  createSnapshot(
    {
      ...defaultTables(),
      AssetSpec: [{ DRMS_MAKE_MODEL: 'NEST!N3GEN', DACS_SPECIFICATION: 'EST_G3_SPEC' }],
      ...tables,
    },
    1,
  )
