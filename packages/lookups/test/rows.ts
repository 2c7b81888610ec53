import type { LookupRow } from '../src/lookups.ts'

/** A row of ConfigProps, Email_ID or EnrollmentStatus. */
export const property = (PropertyName: string, Value: string): LookupRow => ({ PropertyName, Value })

export const routingRow = (
  DRMS_Instance: string,
  DRMS_Site_Connection: string,
  DACS_CIS_Division: string,
  DACS_Connection: string,
): LookupRow => ({ DRMS_Instance, DRMS_Site_Connection, DACS_CIS_Division, DACS_Connection })
