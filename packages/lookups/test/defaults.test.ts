import type { LookupName } from '@tieline/contracts/flows'
import { describe, expect, it } from 'vitest'
import { checkRows } from '../src/check-rows.ts'
import { lookupNames } from '../src/lookup-name.ts'
import { lookups } from '../src/lookups.ts'
import { createSnapshot, defaultTables } from '../src/snapshot.ts'
import { warnings, warningsOf } from '../src/warnings.ts'

const snapshot = createSnapshot(defaultTables(), 1)

describe('before anybody changes a lookup', () => {
  it.each<[LookupName, string[]]>([
    ['ConfigProps', ['PropertyName', 'Value']],
    ['Email_ID', ['PropertyName', 'Value']],
    ['EnrollmentStatus', ['PropertyName', 'Value']],
    ['AssetSpec', ['DRMS_MAKE_MODEL', 'DACS_SPECIFICATION']],
    ['AssetType', ['DRMS_ASSET_TYPE', 'DACS_ASSET_TYPE']],
    ['DeviceLocationStatus', ['DACS_DEVICE_LOC_STATUS', 'DRMS_DEVICE_STATUS']],
    ['Routing', ['DRMS_Instance', 'DRMS_Site_Connection', 'DACS_CIS_Division', 'DACS_Connection']],
    ['EventType', ['DRMS_EventType', 'DACS_EventType']],
    ['StageStatus', ['DRMS_StageStatus', 'DACS_StageStatus']],
    ['EventOutcome', ['DRMS_EventOutcome', 'DACS_EventOutcome']],
  ])('%s has the columns %j', (lookup, columns) => {
    expect(lookups[lookup].columns).toEqual(columns)
  })

  it.each([...lookupNames])('%s keeps its own rules', (lookup) => {
    expect(checkRows(lookup, lookups[lookup].defaults, new Set())).toHaveLength(lookups[lookup].defaults.length)
  })

  it.each<[LookupName, Record<string, string>]>([
    ['EnrollmentStatus', { PENDING: 'SUCCESS', ERROR: 'ERROR', VALERROR: 'ERROR', FAILURE: 'ERROR', 10589: 'SUCCESS' }],
    ['AssetType', { SMART_THERMOSTAT: 'SMART THERMOSTAT' }],
    ['DeviceLocationStatus', { D1YS: 'Active', D1NO: 'Inactive' }],
    ['EventType', { X1EC: 'X1EC', X1EM: 'X1EM', X1DT: 'X1DT', X1RE: 'X1RE', ECONOMIC: 'X1EC', EMERGENCY: 'X1EM' }],
    ['StageStatus', { CANCELED: 'F1CN', COMPLETED: 'F1CO', IN_PROGRESS: 'X1IP', SCHEDULED: 'X1SD' }],
    [
      'EventOutcome',
      {
        SUCCESS: 'D1SP',
        OVERRIDE: 'D1IO',
        NON_RESPONSIVE: 'D1ND',
        REJECTED: 'D1ER',
        ERROR: 'D1ER',
        CANCELED: 'D1CN',
        D1SP: 'D1SP',
        D1IO: 'D1IO',
        D1ND: 'D1ND',
        D1ER: 'D1ER',
        D1CN: 'D1CN',
      },
    ],
  ])('%s translates what the guide says, and nothing else', (lookup, rows) => {
    expect(lookups[lookup].defaults).toHaveLength(Object.keys(rows).length)
    for (const [key, value] of Object.entries(rows)) expect(snapshot.find(lookup, key)).toBe(value)
  })

  it('no mail goes to a sample address, no sample device is known, and nothing is routed', () => {
    expect(snapshot.mail).toEqual({ to: [], toProcessNotification: [] })
    expect(lookups.AssetSpec.defaults).toEqual([])
    expect(snapshot.routing).toEqual([])
  })

  it('every property has its type and its default', () => {
    expect(snapshot.configProps).toEqual({
      'notification.type.email': 'email',
      'notification.email.error.flag': true,
      'notification.email.process.complete.flag': true,
      'notification.email.process.nofile.flag': true,
      enrollmentSyncAckDelay: 5,
      'dacs.enrollmentSource.default': 'X1BY',
      'dacs.prefixtag.fileuploaded': 'Sent-',
      'dacs.prefixtag.filenotuploaded': 'Error-',
      'dacs.dvcScore.extract.filename.prefix': 'DeviceScore',
      'dacs.dvcScore.ftp.input.directory': undefined,
      'dacs.os.namespace': undefined,
      'dacs.os.dvcScore.bucketname': undefined,
      'dacs.error.ack.messagecategory': 11114,
      'dacs.error.ack.messagenumber': 31002,
    })
  })

  it('an operator hears of the stage statuses that nobody has mapped', () => {
    expect(warnings(snapshot, (lookup) => lookups[lookup].defaults)).toEqual([
      expect.stringContaining('no row for PLANNED'),
      expect.stringContaining('no row for FORCED_CANCELED'),
    ])
    const StageStatus = [
      ...lookups.StageStatus.defaults,
      { DRMS_StageStatus: 'planned', DACS_StageStatus: 'X1SD' },
      { DRMS_StageStatus: 'FORCED_CANCELED', DACS_StageStatus: 'F1CN' },
    ]
    expect(warnings(createSnapshot({ ...defaultTables(), StageStatus }, 2), () => [])).toEqual([])
  })

  it('and of codes of their own, which go to DACS as they are', () => {
    const rows = [
      { DRMS_EventType: 'ECONOMIC', DACS_EventType: 'X1EC' },
      { DRMS_EventType: 'TRIAL', DACS_EventType: 'CMTR' },
    ]
    expect(warningsOf('EventType', rows)).toEqual([
      'EventType gives "CMTR" for "TRIAL", which is none of X1DT, X1EC, X1EM, X1RE: DACS gets it as it is',
    ])
    expect(warnings(snapshot, (lookup) => (lookup === 'EventType' ? rows : []))).toHaveLength(3)
    expect(warningsOf('AssetType', [{ DRMS_ASSET_TYPE: 'A', DACS_ASSET_TYPE: 'ANY' }])).toEqual([])
  })
})
