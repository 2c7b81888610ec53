import type { RowTotals } from '@tieline/contracts/row-totals'
import type { RowFault } from '@tieline/journal/types'
import { type CallError, TielineError } from '@tieline/runtime/error'
import { soonestRetry } from '@tieline/worker-service/soonest-retry'
import type { SegmentReport } from './send-segment.ts'

/** What became of a file in one attempt. */
export interface FileReport {
  readonly totals: RowTotals
  /** The first rows that were left out. */
  readonly faults: readonly RowFault[]
  /** The failure that decides about the next attempt; undefined when every row that could go is confirmed. */
  readonly failure: CallError | undefined
}

/** So many rows that were left out are named; of the others there is the number. */
const faultsMax = 100

/** Sums up segments, which come in any order. */
export function createFileReport(rowsRead: number) {
  const sums = { confirmed: 0, refused: 0, unknown: 0 }
  let faults: RowFault[] = []
  const failures: CallError[] = []
  const firstFaults = () => faults.toSorted((a, b) => a.row - b.row).slice(0, faultsMax)

  return {
    add(segment: SegmentReport): void {
      sums.confirmed += segment.confirmed
      sums.refused += segment.refused + segment.faults.length
      sums.unknown += segment.unknown
      faults.push(...segment.faults)
      if (faults.length > 10 * faultsMax) faults = firstFaults()
      if (segment.failure) failures.push(segment.failure)
    },
    result(): FileReport {
      const notSent = rowsRead - sums.confirmed - sums.refused - sums.unknown
      return { totals: { read: rowsRead, ...sums, notSent }, faults: firstFaults(), failure: soonestRetry(failures) }
    },
  }
}

/** Rows are not confirmed, and another attempt may help. It carries what is known so far, for the case that it was the last. */
export class FileFailed extends TielineError {
  readonly failure: CallError
  /** Private, because faults may name codes of rows and no serializer of errors may print them. */
  readonly #report: FileReport

  constructor(failure: CallError, report: FileReport) {
    super(failure.code, failure.retry, failure.message, { cause: failure })
    this.name = 'FileFailed'
    this.failure = failure
    this.#report = report
  }

  get report(): FileReport {
    return this.#report
  }
}
