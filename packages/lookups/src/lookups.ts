import type { LookupName } from '@tieline/contracts/flows'
import { programEventActions, programEventCategories } from '@tieline/contracts/messages/stage-status'
import { z } from 'zod'
import { configProps, configPropsRows } from './config-props.ts'
import { emailId } from './email-id.ts'

/** One row: a cell for every column of the lookup, and a `Description` if it has one. */
export type LookupRow = Readonly<Record<string, string>>

/** A key column and the column it is translated to. */
export type Mapping = readonly [key: string, value: string]

export interface LookupSpec {
  readonly columns: readonly string[]
  /** The first is what `find` reads. A key may have one value only. */
  readonly mappings: readonly [Mapping, ...Mapping[]]
  /** Every row needs its key and its value: an empty cell would read like a missing row. */
  readonly complete: boolean
  /** The only keys that the lookup takes, each with the rule of its value. Absent: any key. */
  readonly properties?: Readonly<Record<string, z.ZodType>>
  /** The rule of every value. */
  readonly value?: z.ZodType
  /** The values that are published. Others are taken all the same, with a warning: an installation may have codes of its own. */
  readonly known?: readonly string[]
  /** Other words for a column, in `plainSpelling`. */
  readonly columnAliases?: Readonly<Record<string, string>>
  /** What the lookup holds until somebody says otherwise (docs/wire-facts.md, Lookups). */
  readonly defaults: readonly LookupRow[]
}

/** The optional column of every lookup. */
export const descriptionColumn = 'Description'

const propertyColumns = ['PropertyName', 'Value'] as const

/** The ten lookups: their columns, their rules and the rows they start with. */
export const lookups: Readonly<Record<LookupName, LookupSpec>> = {
  ConfigProps: {
    columns: propertyColumns,
    mappings: [propertyColumns],
    complete: false,
    properties: configProps.shape,
    defaults: configPropsRows,
  },
  Email_ID: {
    columns: propertyColumns,
    mappings: [propertyColumns],
    complete: false,
    properties: emailId.shape,
    // Words of the guide's steps for a table that its own print shows with property and value.
    columnAliases: { recipient: 'PropertyName', emailid: 'Value' },
    defaults: [],
  },
  EnrollmentStatus: {
    ...translation(propertyColumns, [
      ['PENDING', 'SUCCESS'],
      ['ERROR', 'ERROR'],
      ['VALERROR', 'ERROR'],
      ['FAILURE', 'ERROR'],
      // DACS' message number for an enrollment it already has.
      ['10589', 'SUCCESS'],
    ]),
    value: z.enum(['SUCCESS', 'ERROR', 'FAILURE'], 'must be SUCCESS, ERROR or FAILURE'),
  },
  // The rows in the guide are samples of somebody's devices.
  AssetSpec: { ...translation(['DRMS_MAKE_MODEL', 'DACS_SPECIFICATION'], []), value: atMost(30) },
  AssetType: {
    ...translation(['DRMS_ASSET_TYPE', 'DACS_ASSET_TYPE'], [['SMART_THERMOSTAT', 'SMART THERMOSTAT']]),
    value: atMost(30),
  },
  DeviceLocationStatus: translation(
    ['DACS_DEVICE_LOC_STATUS', 'DRMS_DEVICE_STATUS'],
    [
      ['D1YS', 'Active'],
      ['D1NO', 'Inactive'],
    ],
  ),
  Routing: {
    columns: ['DRMS_Instance', 'DRMS_Site_Connection', 'DACS_CIS_Division', 'DACS_Connection'],
    // Messages of both sides, and the acknowledgments of both, find their way by either key.
    mappings: [
      ['DRMS_Instance', 'DRMS_Site_Connection'],
      ['DRMS_Instance', 'DACS_Connection'],
      ['DACS_CIS_Division', 'DRMS_Site_Connection'],
      ['DACS_CIS_Division', 'DACS_Connection'],
    ],
    complete: false,
    defaults: [],
  },
  // Release 24B sends the codes, 22C sent the words (docs/wire-facts.md, Lookups).
  EventType: {
    ...translation(
      ['DRMS_EventType', 'DACS_EventType'],
      [
        ['X1EC', 'X1EC'],
        ['X1EM', 'X1EM'],
        ['X1DT', 'X1DT'],
        ['X1RE', 'X1RE'],
        ['ECONOMIC', 'X1EC'],
        ['EMERGENCY', 'X1EM'],
      ],
    ),
    value: atMost(30),
    known: programEventCategories,
  },
  StageStatus: {
    ...translation(
      ['DRMS_StageStatus', 'DACS_StageStatus'],
      [
        ['CANCELED', 'F1CN'],
        ['COMPLETED', 'F1CO'],
        ['IN_PROGRESS', 'X1IP'],
        ['SCHEDULED', 'X1SD'],
      ],
    ),
    value: atMost(30),
    known: programEventActions,
  },
  // Printed nowhere: the words are the cases that are documented, the codes are DACS' (docs/wire-facts.md, Lookups).
  EventOutcome: translation(
    ['DRMS_EventOutcome', 'DACS_EventOutcome'],
    [
      ['SUCCESS', 'D1SP'],
      ['OVERRIDE', 'D1IO'],
      ['NON_RESPONSIVE', 'D1ND'],
      ['REJECTED', 'D1ER'],
      ['ERROR', 'D1ER'],
      ['CANCELED', 'D1CN'],
      ['D1SP', 'D1SP'],
      ['D1IO', 'D1IO'],
      ['D1ND', 'D1ND'],
      ['D1ER', 'D1ER'],
      ['D1CN', 'D1CN'],
    ],
  ),
}

/** Lengths of DACS' fields: a longer value would make every message that uses the row break its contract. */
function atMost(length: number) {
  return z.string().max(length, `must be at most ${length} characters`)
}

/** A table that translates the codes of one side into those of the other. */
function translation(columns: Mapping, defaults: readonly Mapping[]): LookupSpec {
  const [key, value] = columns
  return {
    columns,
    mappings: [columns],
    complete: true,
    defaults: defaults.map((row) => ({ [key]: row[0], [value]: row[1] })),
  }
}
