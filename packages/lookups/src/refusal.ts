import type { LookupName } from '@tieline/contracts/flows'

/** What is wrong and where. It names columns, properties and rules, never a cell's content: Email_ID holds addresses. */
export interface LookupFault {
  /** Counted from 1 at the first row below the header. */
  readonly row?: number
  readonly column?: string
  readonly rule: string
}

/** The rows of a lookup are not accepted; nothing was changed. Carries every fault, not only the first. */
export class LookupRefused extends Error {
  readonly lookup: LookupName | undefined
  readonly faults: readonly LookupFault[]

  constructor(lookup: LookupName | undefined, faults: readonly LookupFault[]) {
    super(`${lookup ?? 'Lookup'} refused: ${describe(faults)}`)
    this.name = 'LookupRefused'
    this.lookup = lookup
    this.faults = faults
  }
}

/** Somebody else changed the lookup in the meantime; nothing was changed. */
export class LookupConflict extends Error {
  readonly lookup: LookupName
  readonly currentVersion: number

  constructor(lookup: LookupName, expectedVersion: number, currentVersion: number) {
    super(`${lookup} is at version ${currentVersion}, not at ${expectedVersion}: somebody else changed it`)
    this.name = 'LookupConflict'
    this.lookup = lookup
    this.currentVersion = currentVersion
  }
}

const shownFaults = 20

function describe(faults: readonly LookupFault[]): string {
  const shown = faults.slice(0, shownFaults).map(({ row, column, rule }) => {
    const place = [row === undefined ? [] : [`row ${row}`], column === undefined ? [] : [`column ${column}`]].flat()
    return place.length === 0 ? rule : `${place.join(', ')}: ${rule}`
  })
  const hidden = faults.length - shown.length
  return [...shown, ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('; ')
}
