/** Why a download ended badly when it was not the source that failed. */
export type BillFailureCode =
  | 'bill-not-pdf'
  | 'bill-too-large'
  | 'first-byte-late'
  | 'transfer-late'
  | 'too-many-downloads'
  | 'caller-gone'

/** `message` goes to the log, so it never tells which bill it was: the id of a bill leads to a customer. */
export class BillFailure extends Error {
  readonly code: BillFailureCode

  constructor(code: BillFailureCode, message: string) {
    super(message)
    this.name = 'BillFailure'
    this.code = code
  }
}
