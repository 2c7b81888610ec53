import { describe, expect, it } from 'vitest'
import { lookupNames, oicLookupName, readLookupName } from '../src/lookup-name.ts'

describe('the names of the lookups', () => {
  it('are the ten of the guide', () => {
    expect([...lookupNames].sort()).toEqual([
      'AssetSpec',
      'AssetType',
      'ConfigProps',
      'DeviceLocationStatus',
      'Email_ID',
      'EnrollmentStatus',
      'EventOutcome',
      'EventType',
      'Routing',
      'StageStatus',
    ])
  })

  it.each([...lookupNames])('are read with and without the prefix and without regard to case: %s', (lookup) => {
    expect(oicLookupName(lookup)).toBe(`OUTL-BRT-DACS_DRMS_${lookup}`)
    for (const text of [lookup, lookup.toUpperCase(), oicLookupName(lookup), oicLookupName(lookup).toLowerCase()]) {
      expect(readLookupName(text)).toBe(lookup)
    }
  })

  it.each([
    ['OUTL-BRT-OUAI_DACS_DRMS_Email_ID', 'Email_ID'],
    ['OUTL-BRT-OUAI_DACS_DRMS_EventType', 'EventType'],
    ['OUTL-BRT-OUAI_DACS_DRMS_StageStatus', 'StageStatus'],
    ['OUTL-BRT-OUAI_DACS_DRMS_ConfigProps', 'ConfigProps'],
    ['OUTL-BRT-DACS_OUAI_Routing', 'Routing'],
    ['OUTL-BRTDACS_DRMS_ConfigProps', 'ConfigProps'],
    ['OUTLBRT-DACS_DRMS_ConfigProps', 'ConfigProps'],
    ['OUTL-BRT DACS DRMS Email ID', 'Email_ID'],
    ['OUTL-BRT-DACS_DRMS_EMAIL_ID', 'Email_ID'],
    ['OUTL-BRT- DACS_DRMS_DeviceLocationStatus', 'DeviceLocationStatus'],
  ])('are read in the spellings of the guide: %s', (text, lookup) => {
    expect(readLookupName(text)).toBe(lookup)
  })

  it.each(['', 'OUTL-BRT-DACS_DRMS_', 'Rooting', 'OUTL-BRT-DACS_CCB_Routing', 'constructor'])(
    'are not guessed: "%s"',
    (text) => {
      expect(readLookupName(text)).toBeUndefined()
    },
  )
})
